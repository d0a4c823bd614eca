"""Detectors: one file is one detector, found by its file name; files that begin with "_" are what several share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from andon.backbones import Backbone
from andon.config import from_dict, to_dict
from andon.detectors._base import Batch, Capabilities, Detector, History, LabelledBatches
from andon.detectors._checkpoint import Checkpoint
from andon.errors import ConfigError
from andon.plugins import Parts
from andon.recipes import Recipe

__all__ = [
    "Batch",
    "Capabilities",
    "Checkpoint",
    "Detector",
    "History",
    "LabelledBatches",
    "configured",
    "create",
    "detector_class",
    "names",
    "of_recipe",
]

PARTS = Parts("detector", __name__, ("DETECTOR",), group="andon.detectors")


def names() -> list[str]:
    """The names of all detectors."""
    return PARTS.names()


def detector_class(name: str) -> type[Detector[Any]]:
    """The detector of that name.

    Raises:
        ConfigError: there is no such detector; the message suggests the nearest name.
    """
    detector: type[Detector[Any]] = PARTS.load(name).DETECTOR
    return detector


def create(name: str, backbone: Backbone, parameters: Mapping[str, Any] | None = None) -> Detector[Any]:
    """A detector that has not been fitted.

    Args:
        parameters: fields of its config by name; what is left out keeps its default.

    Raises:
        ConfigError: there is no such detector or it has no such parameter.
    """
    cls = detector_class(name)
    return cls(from_dict(cls.Config, parameters or {}, "detector"), backbone)


def configured(recipe: Recipe) -> Recipe:
    """The recipe with all parameters of its detector, including those that it leaves at their defaults.

    Raises:
        ConfigError: there is no such detector, it has no such parameter, or it cannot work as the recipe wants.
    """
    cls = detector_class(recipe.detector)
    if recipe.tiling is not None and cls.capabilities.needs_object:
        raise ConfigError(f"{recipe.detector} looks at the outline of a whole part; take 'tiling' out of the recipe.")
    return replace(recipe, parameters=to_dict(from_dict(cls.Config, recipe.parameters, "detector")))


def of_recipe(recipe: Recipe, backbone: Backbone) -> Detector[Any]:
    """The recipe's detector, not fitted yet.

    Raises:
        ConfigError: see `configured`.
    """
    return create(recipe.detector, backbone, recipe.parameters)
