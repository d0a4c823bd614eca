"""Metrics: one file is one figure, found by its file name.

A metric's file holds `compute(results) -> float` and, where the figure has one, `interval(results)`, its 95 %
confidence interval. Both raise `Undefined` where the figure has no meaning.
"""

from __future__ import annotations

import sys
from types import ModuleType

from andon import plugins

__all__ = ["metric", "names"]


def names() -> list[str]:
    """The names of all metrics."""
    return plugins.names(sys.modules[__name__])


def metric(name: str) -> ModuleType:
    """The metric's module, with its `compute`.

    Raises:
        ConfigError: there is no such metric; the message suggests the nearest name.
    """
    return plugins.load(sys.modules[__name__], name)
