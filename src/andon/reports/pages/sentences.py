"""The figures of an evaluation in words, so that nobody needs to know what AUROC stands for.

`figures` is the dictionary that `andon evaluate --json` prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from andon.reports.text import number, percent

Figures = Mapping[str, Any]

RATES = {
    "false_reject_rate": ("False-reject rate", "OK photos called NG"),
    "escape_rate": ("Escape rate", "NG photos called OK"),
    "review_rate": ("Review rate", "photos set aside for a person"),
    "recall": ("Recall", "NG photos called NG"),
    "precision": ("Precision", "NG verdicts that are right"),
    "accuracy": ("Accuracy", "verdicts that are right, review not among them"),
}
AREAS = {
    "image_auroc": ("Image AUROC", "order of the scores; 0.5 is guessing, 1 is perfect"),
    "image_ap": ("Average precision", "precision over all thresholds"),
    "pixel_auroc": ("Pixel AUROC", "order of the pixels of the maps"),
    "aupro": ("AUPRO", "coverage of each defect at up to 30\N{NO-BREAK SPACE}% false alarms"),
    "f1_max": ("F1-max", "what the best threshold would give, known only afterwards"),
}
NAMES = RATES | AREAS | {"f1_max_threshold": ("F1-max threshold", "the score at which it would")}
IN_WORDS = {
    "image_auroc": (
        "Take a good and a defective part at random: in {share} of such pairs the defective one has the higher score"
    ),
    "pixel_auroc": (
        "Take a sound pixel and one of a defect: in {share} of such pairs the defect stands out; large defects dominate"
    ),
    "aupro": (
        "With up to 30\N{NO-BREAK SPACE}% of the sound area marked by mistake, {share} of a defect is covered on "
        "average, a small defect counting as much as a large one"
    ),
}


class Headline(NamedTuple):
    """One figure and its meaning.

    Attributes:
        value: as it is printed; "–" where the figure is undefined.
        interval: its 95 % interval, both ends in [0, 1], where it has one.
    """

    title: str
    value: str
    sentence: str
    interval: Sequence[float] | None


class Row(NamedTuple):
    """One figure in the table of all; `interval` says why where there is no value."""

    name: str
    meaning: str
    value: str
    interval: str


def headlines(figures: Figures) -> list[Headline]:
    """What a quality engineer asks first."""
    told = [
        _headline(figures, "false_reject_rate", "False rejects", _counted(figures, "OK", "NG", "good", "rejected")),
        _headline(figures, "escape_rate", "Escapes", _counted(figures, "NG", "OK", "defective", "called OK")),
    ]
    if figures["review_rate"]:
        told.append(_headline(figures, "review_rate", "For review", _reviewed(figures)))
    return told + [_headline(figures, key, AREAS[key][0], words) for key, words in IN_WORDS.items()]


def _headline(figures: Figures, key: str, title: str, sentence: str) -> Headline:
    value = figures[key]
    if value is None:
        return Headline(title, "–", f"Not defined: {figures['undefined'][key]}.", None)
    interval = figures["intervals"].get(key)
    sentence = sentence.format(share=percent(value))
    if interval is not None:
        sentence += f" (95\N{NO-BREAK SPACE}% interval {_in_percent(interval)})"
    return Headline(title, value_of(figures, key), f"{sentence}.", interval)


def _counted(figures: Figures, truth: str, verdict: str, kind: str, done: str) -> str:
    counts = figures["confusion"][truth]
    n, k = sum(counts.values()), counts[verdict]
    return f"Of {n} {kind} parts {k or 'none'} {'was' if k < 2 else 'were'} {done}"


def _reviewed(figures: Figures) -> str:
    k = sum(counts["review"] for counts in figures["confusion"].values())
    return f"Of {figures['n_ok'] + figures['n_ng']} parts {k} {'was' if k < 2 else 'were'} set aside for a person"


def rows(figures: Figures) -> Iterator[Row]:
    """Every metric, those first that have words of their own here."""
    metrics = [key for key, value in figures.items() if value is None or isinstance(value, float)]
    known = [key for key in NAMES if key in metrics]
    others = [key for key in metrics if key not in NAMES and key != "threshold"]
    for key in known + others:
        name, meaning = NAMES.get(key, (key, ""))
        reason = figures["undefined"].get(key)
        interval = f"not defined: {reason}" if reason else interval_of(figures, key)
        yield Row(name, meaning, value_of(figures, key), interval)


def value_of(figures: Figures, key: str) -> str:
    """The figure as it is printed: rates in percent, areas with three decimals, "–" where it is undefined."""
    value = figures[key]
    if value is None:
        return "–"
    if key in RATES:
        return percent(value)
    return f"{value:.3f}" if key in AREAS else number(value)


def interval_of(figures: Figures, key: str) -> str:
    """The figure's 95 % interval in the figure's own unit; empty where it has none."""
    interval = figures["intervals"].get(key)
    if interval is None:
        return ""
    return _in_percent(interval) if key in RATES else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _in_percent(interval: Sequence[float]) -> str:
    return f"{100 * interval[0]:.1f} to {percent(interval[1])}"
