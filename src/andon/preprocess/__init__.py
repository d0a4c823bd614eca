"""Preprocessing steps: one file is one step, found by its file name."""

from __future__ import annotations

from andon.plugins import Parts
from andon.preprocess._base import Step

__all__ = ["Step", "names", "step_class"]

PARTS = Parts("preprocessing step", __name__, ("STEP",), group="andon.steps")


def names() -> list[str]:
    """The names of all steps."""
    return PARTS.names()


def step_class(name: str) -> type[Step]:
    """The step of that name.

    Raises:
        ConfigError: there is no such step; the message suggests the nearest name.
    """
    step: type[Step] = PARTS.load(name).STEP
    return step
