"""Andon learns what a good part looks like from photos of good parts alone, then says of a new photo: OK or NG.

import andon

model = andon.train("photos/")
andon.save(model, "part.safetensors")
inspection = andon.load("part.safetensors").inspect("new.jpg")
print(inspection.verdict, inspection.score, inspection.regions)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from andon.errors import (
    AndonError,
    ConfigError,
    DatasetError,
    ImageError,
    InputError,
    MissingDependencyError,
    ModelError,
    NotCalibratedError,
    NotFittedError,
    NotFoundError,
    StoreError,
    TrainingError,
    WeightsError,
)

if TYPE_CHECKING:
    from andon.line.pipeline import Pipeline
    from andon.models.load import load
    from andon.models.save import save
    from andon.models.taught import Taught
    from andon.teaching.train import train
    from andon.types import Failure, Inspection, Region

__all__ = [
    "AndonError",
    "ConfigError",
    "DatasetError",
    "Failure",
    "ImageError",
    "InputError",
    "Inspection",
    "MissingDependencyError",
    "ModelError",
    "NotCalibratedError",
    "NotFittedError",
    "NotFoundError",
    "Pipeline",
    "Region",
    "StoreError",
    "Taught",
    "TrainingError",
    "WeightsError",
    "load",
    "save",
    "train",
]

# torch's threads must sleep while they wait: spinning, they take the cores from OpenVINO's and from reading photos, and
# a photo took six times as long on a busy machine. It counts when torch is imported, so it must come before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Nothing leaves the machine: the hub's client reads this when it is imported.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

_WHERE = {
    "Failure": ("andon.types", "Failure"),
    "Inspection": ("andon.types", "Inspection"),
    "Pipeline": ("andon.line.pipeline", "Pipeline"),
    "Region": ("andon.types", "Region"),
    "Taught": ("andon.models.taught", "Taught"),
    "load": ("andon.models.load", "load"),
    "save": ("andon.models.save", "save"),
    "train": ("andon.teaching.train", "train"),
}


def __getattr__(name: str) -> Any:
    """Import what needs torch only when it is asked for, so that `andon --help` answers at once.

    Raises:
        MissingDependencyError: it needs a package that an extra brings.
    """
    if name not in _WHERE:
        raise AttributeError(f"module 'andon' has no attribute {name!r}")
    from importlib import import_module

    from andon.extras import missing

    module, attribute = _WHERE[name]
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise missing(error) or error from None
