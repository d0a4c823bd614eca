"""Patch-SVDD: the distance of each patch to OK patches, in features that are learned from the OK photos themselves.

Yi & Yoon, "Patch SVDD: Patch-level SVDD for Anomaly Detection and Segmentation", ACCV 2020 (arXiv 2006.16067). An
encoder learns that patches side by side are alike and in which of eight directions one patch lies from another. The
backbone is not used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim import Adam

from andon.backbones import Backbone
from andon.detectors._base import Batch, Capabilities, Detector, map_size, patches_in_roi, require
from andon.detectors._coreset import greedy_coreset
from andon.detectors._patch_svdd_network import DIMENSIONS, SIZES, Classifier, Encoder, losses
from andon.detectors._scoring import nearest
from andon.detectors._shapes import Shape
from andon.detectors._training import GradientConfig, seeded, train

PHOTOS_A_STEP = 4
PAIRS = 256  # of each kind and size, per photo and step
NOISE = 0.02  # standard deviation of the noise in a training photo
TINT = 0.05  # each of its colours is made up to so much darker or brighter


@dataclass(frozen=True, kw_only=True)
class PatchSvddConfig(GradientConfig):
    """Attributes:
    epochs: at most; the paper trains for 300.
    svdd_weight: of the loss SVDD' beside that of the directions (lambda in equation 6).
    bank_patches: drawn by chance from the OK photos, for each size of patch.
    coreset_ratio: share of them that the memory bank keeps, in (0, 1].
    """

    epochs: int = 12
    patience: int = 4
    svdd_weight: float = 0.1
    bank_patches: int = 60_000
    coreset_ratio: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.svdd_weight >= 0, "svdd_weight", self.svdd_weight, "0 or more")
        require(self.bank_patches >= 1, "bank_patches", self.bank_patches, "1 or more")
        require(0 < self.coreset_ratio <= 1, "coreset_ratio", self.coreset_ratio, "above 0 and at most 1")


class PatchSvdd(Detector[PatchSvddConfig]):
    """A patch's score is the geometric mean of its distances at both sizes (the paper takes their product).

    Attributes:
        small_bank_: (N, 64) features of OK patches of 32 pixels.
        large_bank_: (N, 64) features of OK patches of 64 pixels.
    """

    Config = PatchSvddConfig
    capabilities = Capabilities(exports=True, learns_by_gradient=True)
    small_bank_: Tensor
    large_bank_: Tensor

    def __init__(self, config: PatchSvddConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        self.encoder = Encoder()
        self.small_classifier, self.large_classifier = Classifier(), Classifier()
        for name in ("small_bank_", "large_bank_"):
            self.register_buffer(name, None)

    def shapes(self) -> dict[str, Shape]:
        return {"small_bank_": Shape(("N", DIMENSIONS)), "large_bank_": Shape(("L", DIMENSIONS))}

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        modules = {"encoder": self.encoder, "small": self.small_classifier, "large": self.large_classifier}
        with seeded(generator):
            for layer in chain.from_iterable(module.modules() for module in modules.values()):
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    layer.reset_parameters()
        parameters = chain.from_iterable(module.parameters() for module in modules.values())
        optimiser = Adam(parameters, self.config.learning_rate)

        def step(x: Tensor, roi: Tensor) -> dict[str, float]:
            told = []
            for part, inside in zip(torch.split(x, PHOTOS_A_STEP), torch.split(roi, PHOTOS_A_STEP), strict=True):
                direction, svdd = self._losses(_disturbed(part, inside), inside)
                optimiser.zero_grad()
                (direction + self.config.svdd_weight * svdd).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                told.append((direction.item(), svdd.item()))
            direction_loss, svdd_loss = (sum(losses) / len(told) for losses in zip(*told, strict=True))
            return {"direction": direction_loss, "svdd": svdd_loss}

        def validate(x: Tensor, roi: Tensor) -> float:
            direction, svdd = self._losses(x, roi, torch.Generator().manual_seed(0))  # the same pairs every time
            return float(direction + self.config.svdd_weight * svdd)

        self.history = train(
            batches,
            modules=modules,
            optimisers={"adam": optimiser},
            step=step,
            validate=validate,
            epochs=self.config.epochs,
            patience=self.config.patience,
            generator=generator,
            checkpoint=self.checkpoint,
        )
        with torch.inference_mode():
            self.small_bank_, self.large_bank_ = self._banks(batches, generator)

    def _losses(self, x: Tensor, roi: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """That of the directions and SVDD', each summed over the two sizes."""
        pairs = PAIRS * len(x)
        small, large = self.encoder(x)
        inside = patches_in_roi(roi, map_size(small))
        small_direction, small_svdd = losses(small, inside, self.small_classifier, SIZES[0], pairs, generator)
        large_direction, large_svdd = losses(large, inside, self.large_classifier, SIZES[1], pairs, generator)
        return small_direction + large_direction, small_svdd + large_svdd

    def _banks(self, batches: Iterable[Batch], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A coreset of patches that are drawn by chance, as many from each photo, for the small and the large."""
        n = sum(len(x) for x, _ in batches)
        drawn: tuple[list[Tensor], list[Tensor]] = ([], [])
        for x, roi in batches:
            for photo, inside in zip(x * roi.unsqueeze(1), roi, strict=True):
                for features, kept in zip(self.encoder(photo.unsqueeze(0)), drawn, strict=True):
                    rows = features[0].permute(1, 2, 0)[patches_in_roi(inside.unsqueeze(0), map_size(features))[0]]
                    order = torch.randperm(len(rows), generator=generator)
                    kept.append(rows[order[: -(-self.config.bank_patches // n)]])
        small, large = (torch.cat(kept) for kept in drawn)
        return self._coreset(small), self._coreset(large)

    def _coreset(self, patches: Tensor) -> Tensor:
        return patches[greedy_coreset(patches, max(1, round(self.config.coreset_ratio * len(patches))))]

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        small, large = (
            nearest(features.permute(0, 2, 3, 1).flatten(0, 2), bank)[0].view(len(x), *map_size(features))
            for features, bank in zip(self.encoder(x), (self.small_bank_, self.large_bank_), strict=True)
        )
        patches = (small * large).sqrt() * patches_in_roi(roi, (small.shape[1], small.shape[2]))
        return patches.amax(dim=(1, 2)), patches


def _disturbed(x: Tensor, roi: Tensor) -> Tensor:
    """The photos in slightly other colours and with noise, so that neither gives a direction away."""
    tint = 1 + TINT * (2 * torch.rand(len(x), 3, 1, 1) - 1)
    return (x * tint + NOISE * torch.randn_like(x)).clamp(0, 1) * roi.unsqueeze(1)


DETECTOR = PatchSvdd
