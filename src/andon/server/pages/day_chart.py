"""Small charts of days: for each, where half and nine tenths of the values lie, and the median."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from andon.drift.daily import Day, Quantiles
from andon.line.appearance import FEATURES

HEIGHT = 100.0
SLOT, BAR = 20.0, 12.0
LEAST = 1.5
"""Of a bar's height, so that it can be seen."""


@dataclass(frozen=True)
class Column:
    """One day: its bars are (y, height), the wide one of the middle 90 %, the other of the middle half.

    Attributes:
        x: its left edge.
        is_onset: whether an alarm says that a change began then.
    """

    x: float
    most: tuple[float, float]
    half: tuple[float, float]
    median: float
    words: str
    is_onset: bool


@dataclass(frozen=True)
class Chart:
    """Attributes:
    width: of the drawing; its height is 100.
    low, high: what its lower and upper edge stand for, in words.
    """

    width: float
    low: str
    high: str
    columns: tuple[Column, ...]
    first: date
    last: date


def chart(name: str, days: Sequence[Day], onsets: Collection[str]) -> Chart | None:
    """The chart of `scores` or of a feature that was measured; None where there is no value.

    Args:
        days: the oldest first.
        onsets: days with which a change began, such as 2026-03-04.
    """
    known = [(day.day, found) for day in days if (found := _values(name, day)) is not None]
    if not known:
        return None
    low = min(found.by_share[0.05] for _, found in known)
    high = max(found.by_share[0.95] for _, found in known)
    room = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    low, high = low - room, high + room

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 2)

    def bar(found: Quantiles, lower: float, upper: float) -> tuple[float, float]:
        top = y(found.by_share[upper])
        return top, round(max(y(found.by_share[lower]) - top, LEAST), 2)

    columns = tuple(
        Column(
            x=place * SLOT + (SLOT - BAR) / 2,
            most=bar(found, 0.05, 0.95),
            half=bar(found, 0.25, 0.75),
            median=y(found.by_share[0.5]),
            words=f"{day}: median {_text(name, found.by_share[0.5])}",
            is_onset=str(day) in onsets,
        )
        for place, (day, found) in enumerate(known)
    )
    return Chart(len(known) * SLOT, _text(name, low), _text(name, high), columns, known[0][0], known[-1][0])


def _values(name: str, day: Day) -> Quantiles | None:
    return day.ok_scores if name == "scores" else day.measured.get(name)


def _text(name: str, value: float) -> str:
    return FEATURES[name].show(value) if name in FEATURES else f"{value:.3g}"
