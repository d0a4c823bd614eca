"""Preprocessing steps: one file is one step, found by its file name."""

from __future__ import annotations

import sys

from andon import plugins
from andon.preprocess._base import Step

__all__ = ["Step", "names", "step_class"]


def names() -> list[str]:
    """The names of all steps."""
    return plugins.names(sys.modules[__name__])


def step_class(name: str) -> type[Step]:
    """The step of that name.

    Raises:
        ConfigError: there is no such step; the message suggests the nearest name.
    """
    step: type[Step] = plugins.load(sys.modules[__name__], name).STEP
    return step
