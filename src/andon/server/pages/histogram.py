"""Bars of a histogram, in shares of a chart's width and height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from andon.line.rules import ScoreArray

BINS = 60
BEYOND = 2.0
"""The scale ends so many widths of the OK scores above the threshold; what lies beyond is in the last bar."""
LEAST_HEIGHT = 0.05
"""One photo among thousands can still be seen."""


@dataclass(frozen=True)
class Scale:
    """From the lowest score to the end of the chart."""

    low: float
    high: float

    @classmethod
    def over(cls, ok: ScoreArray, live: ScoreArray, ng: ScoreArray, threshold: float) -> Scale:
        """A scale on which OK photos and threshold lie well apart."""
        everything = np.concatenate([ok, live, ng, [threshold]])
        width = max(threshold - float(everything.min()), 1e-6 * abs(threshold), 1e-9)
        low = float(everything.min()) - 0.05 * width
        return cls(low, min(float(everything.max()) + 0.05 * width, threshold + BEYOND * width))

    def at(self, score: float) -> float:
        """Where it lies, from 0 to 1000."""
        return round(1000 * min(max((score - self.low) / (self.high - self.low), 0.0), 1.0), 2)

    @property
    def step(self) -> float:
        """What an arrow key moves a line by."""
        return (self.high - self.low) / 1000


@dataclass(frozen=True)
class Bar:
    """x and width from 0 to 1000, height from 0 to 100."""

    x: float
    width: float
    height: float
    count: int


def bars(scores: ScoreArray, scale: Scale) -> list[Bar]:
    """The bars of these scores; empty ones are left out."""
    counts, _ = np.histogram(np.clip(scores, scale.low, scale.high), BINS, (scale.low, scale.high))
    most, width = max(int(counts.max()), 1), 1000 / BINS
    return [
        Bar(round(place * width, 2), round(width - 2, 2), round(100 * max(count / most, LEAST_HEIGHT), 2), int(count))
        for place, count in enumerate(counts)
        if count
    ]
