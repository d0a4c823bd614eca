"""Metrics: one file is one figure, found by its file name.

The file of a rate holds `count(results) -> (k, n)`: the figure is k / n, with its exact binomial interval. Any other
holds `compute(results) -> float` and, where the figure has one, `interval(results)`, its 95 % confidence interval. All
raise `Undefined` where the figure has no meaning.
"""

from __future__ import annotations

import sys

from andon import plugins
from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.results import Results

__all__ = ["measure", "names"]


def names() -> list[str]:
    """The names of all metrics."""
    return plugins.names(sys.modules[__name__])


def measure(name: str, results: Results) -> tuple[float, Interval | None]:
    """The figure of that name, and its 95 % interval where it has one.

    Raises:
        ConfigError: there is no such metric; the message suggests the nearest name.
        Undefined: the figure has no meaning for these results.
    """
    metric = plugins.load(sys.modules[__name__], name)
    if hasattr(metric, "count"):
        k, n = metric.count(results)
        return k / n, clopper_pearson(k, n)
    return metric.compute(results), metric.interval(results) if hasattr(metric, "interval") else None
