"""The figures of an evaluation as tables, in the words that each metric's file has for it.

`figures` is the dictionary that `andon evaluate --json` prints, or the part of it on one kind of defect, or on one
method of a comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from andon.evaluation import metrics
from andon.reports.number_format import number, percent
from andon.rows import printable

Figures = Mapping[str, Any]
UNDEFINED = "–"


class FigureRow(NamedTuple):
    """One metric in a table.

    Attributes:
        photos: of a rate, as "3 of 71"; else empty.
        interval: its 95 % interval; where there is no value, why.
        better: "higher" or "lower", or "" where neither is.
    """

    title: str
    meaning: str
    value: str
    photos: str
    interval: str
    better: str
    is_defined: bool


def rows(figures: Figures, names: Iterable[str]) -> Iterator[FigureRow]:
    """The named metrics, in that order."""
    for name in names:
        is_defined = figures[name] is not None
        interval = interval_of(figures, name) if is_defined else f"undefined: {figures['undefined'][name]}"
        metric = metrics.describe(name)
        value = value_of(figures, name)
        photos = count_of(figures, name)
        yield FigureRow(title_of(name), metric.meaning, value, photos, interval, metric.better or "", is_defined)


def title_of(name: str) -> str:
    """The metric's title as a heading: "Image AUROC"."""
    title = metrics.describe(name).title
    return title[:1].upper() + title[1:]


def value_of(figures: Figures, name: str) -> str:
    """The figure in its own unit; "–" where it is undefined."""
    value = figures[name]
    if value is None:
        return UNDEFINED
    unit = metrics.describe(name).unit
    return percent(value) if unit == "share" else f"{value:.3f}" if unit == "index" else number(value)


def count_of(figures: Figures, name: str) -> str:
    """Of a rate, how many photos it counts of how many, as "3 of 71"; empty for other figures."""
    count = figures["counts"].get(name)
    return "" if count is None else f"{count[0]} of {count[1]}"


def interval_of(figures: Figures, name: str) -> str:
    """The figure's 95 % interval in the figure's own unit; empty where it has none."""
    interval = figures["intervals"].get(name)
    if interval is None:
        return ""
    if metrics.describe(name).unit == "share":
        return percent_interval(interval)
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def percent_interval(interval: Sequence[float]) -> str:
    """As "0.1 to 19.6 %"."""
    return f"{100 * interval[0]:.1f} to {percent(interval[1])}"


def as_text(figures: Figures, names: Iterable[str]) -> str:
    """How many photos there were, and the named metrics in aligned columns: title, value, photos, interval, meaning."""
    told = f"On {figures['n_ok']} OK and {figures['n_ng']} NG photos, threshold {number(figures['threshold'])}"
    table = list(rows(figures, names))
    title = max(len(row.title) for row in table)
    value = max(len("value"), *(len(row.value) for row in table))
    interval = max(len("95 % interval"), *(len(row.interval) for row in table if row.is_defined))
    count = max(len("photos"), *(len(row.photos) for row in table))
    lines = [f"{'':{title}}  {'value':>{value}}  {'photos':>{count}}  95 % interval"]
    for row in table:
        meaning = f"{row.interval:{interval}}  {row.meaning}" if row.is_defined else row.interval
        lines.append(f"{row.title:{title}}  {row.value:>{value}}  {row.photos:>{count}}  {meaning}")
    return "\n".join(printable(ascii_only(line)) for line in [told, *lines])


def answer_as_text(sentences: Iterable[str]) -> str:
    """A line per sentence, and an empty one after them."""
    return "\n".join([*(printable(ascii_only(line)) for line in sentences), ""])


def ascii_only(table: str) -> str:
    """The table for a terminal that may know ASCII alone."""
    return table.replace("\N{NO-BREAK SPACE}", " ").replace(UNDEFINED, "-")
