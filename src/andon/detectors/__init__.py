"""Detectors: one file is one detector, found by its file name; files that begin with "_" are what several share."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from andon import plugins
from andon.backbones import Backbone
from andon.config import from_dict
from andon.detectors._base import Batch, Detector, History, LabelledBatches
from andon.detectors._checkpoint import Checkpoint

__all__ = ["Batch", "Checkpoint", "Detector", "History", "LabelledBatches", "create", "detector_class", "names"]


def names() -> list[str]:
    """The names of all detectors."""
    return plugins.names(sys.modules[__name__])


def detector_class(name: str) -> type[Detector[Any]]:
    """The detector of that name.

    Raises:
        ConfigError: there is no such detector; the message suggests the nearest name.
    """
    detector: type[Detector[Any]] = plugins.load(sys.modules[__name__], name).DETECTOR
    return detector


def create(name: str, backbone: Backbone, parameters: Mapping[str, Any] | None = None) -> Detector[Any]:
    """A detector that has not been taught.

    Args:
        parameters: fields of its config by name; what is left out keeps its default.

    Raises:
        ConfigError: there is no such detector or it has no such parameter.
    """
    cls = detector_class(name)
    return cls(from_dict(cls.Config, parameters or {}, "detector"), backbone)
