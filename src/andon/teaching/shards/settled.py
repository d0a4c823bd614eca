"""What is the same for all shards of a training, and goes to every worker."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import version
from typing import cast

import torch
from torch import Tensor

from andon import backbones, detectors
from andon.backbones import Backbone, BackboneConfig
from andon.detectors.patchcore import PatchCore
from andon.errors import AndonError
from andon.images import OpenedPhotos
from andon.recipes import Recipe
from andon.teaching.fitting import TRAINING
from andon.teaching.photos import Batches, Frames
from andon.teaching.shards.shard import Shard

FIXED = 3 * 2**29  # bytes that a task takes whatever it does
ROOM = 2**28  # bytes of decoded photos, which are needed again in a moment or not at all


@dataclass(frozen=True, eq=False)
class Settled:
    """Attributes:
    recipe: with its steps as far as they are settled.
    white: see `images.load`.
    weights_sha256: of the backbone, as the driver has it.
    learned: the projection and the scale of colour, once they are settled.
    """

    recipe: Recipe
    white: float | None
    weights_sha256: str
    versions: tuple[tuple[str, str], ...] = field(default_factory=lambda: versions())
    learned: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """Of the training."""
        return self.recipe.training.seed

    def detector(self) -> PatchCore:
        """The detector as far as it is settled; it may hold no bank yet.

        Raises:
            AndonError: this worker has other packages or other weights than the driver.
        """
        if (here := versions()) != self.versions:
            raise AndonError(_unlike(dict(here), dict(self.versions)))
        backbone, weights_sha256 = _backbone(self.recipe.backbone)
        if weights_sha256 != self.weights_sha256:
            raise AndonError(
                f"{socket.gethostname()} has other weights of {self.recipe.backbone.name}; copy them there."
            )
        return cast(PatchCore, detectors.of_recipe(self.recipe, backbone)).holding(**self.learned)

    def with_learned(self, detector: PatchCore) -> Settled:
        """The same with what the detector has settled."""
        names = ("projection_", "colour_scale_")
        return replace(self, learned={name: detector.get_buffer(name) for name in names})

    def frames(self) -> Frames:
        """Reads photos and prepares them."""
        return Frames(self.recipe.steps.values(), OpenedPhotos(self.white, room=ROOM), room=ROOM)

    def batches(self, shard: Shard, detector: PatchCore) -> Batches:
        """The shard's photos as the detector is fitted on them."""
        return Batches(shard.photos, self.recipe, TRAINING, detector.refuses, self.frames(), shard.enhanced)

    def generator(self, shard: Shard) -> torch.Generator:
        """For what is drawn by chance in a shard: the same wherever it is looked at."""
        return torch.Generator().manual_seed(self.seed + 1 + shard.number)


def versions() -> tuple[tuple[str, str], ...]:
    """Of the packages that what a worker computes depends on."""
    return tuple((name, version(name)) for name in ("andon", "torch", "numpy", "opencv-python-headless"))


@lru_cache(maxsize=1)
def _backbone(config: BackboneConfig) -> tuple[Backbone, str]:
    """Built once in each process, and its fingerprint."""
    backbone = backbones.create(config)
    return backbone, backbones.fingerprint(backbone)


def _unlike(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    others = ", ".join(f"{name} {here[name]} instead of {there[name]}" for name in there if here[name] != there[name])
    return f"{socket.gethostname()} has {others}; install the same versions on all hosts of the cluster."
