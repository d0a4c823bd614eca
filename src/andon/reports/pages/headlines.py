"""What a quality engineer asks first, in words, so that nobody needs to know what AUROC stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from andon.evaluation import metrics
from andon.evaluation.headlines import ESCAPES, FALSE_REJECTS, INVALID, REVIEWS, SEPARATION
from andon.reports.figures import UNDEFINED, Figures, percent_interval, title_of, value_of
from andon.reports.number_format import percent


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


def headlines(figures: Figures) -> list[Headline]:
    """What the verdicts do, and how well scores and maps tell OK from NG; review and invalid only where there are any.

    Args:
        figures: the dictionary that `andon evaluate --json` prints.
    """
    if_any = [name for name in (*REVIEWS, INVALID) if figures[name]]
    return [_headline(figures, name) for name in (ESCAPES, FALSE_REJECTS, *if_any, *SEPARATION)]


def _headline(figures: Figures, name: str) -> Headline:
    value, interval = figures[name], figures["intervals"].get(name)
    if value is None:
        return Headline(title_of(name), UNDEFINED, f"Undefined: {figures['undefined'][name]}.", None)
    k, n = figures["counts"].get(name, (0, 0))
    metric = metrics.describe(name)
    words = {"share": percent(value), "n": n, "k": k or "none", "were": "was" if k < 2 else "were"}
    sentence = (metric.in_words or metric.meaning).format(**words)
    if interval is not None:
        sentence += f" (95\N{NO-BREAK SPACE}% interval {percent_interval(interval)})"
    return Headline(title_of(name), value_of(figures, name), f"{sentence}.", interval)
