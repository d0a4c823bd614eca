"""A convolutional autoencoder of photos: how badly it reconstructs each pixel. The baseline for `dfr`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Adam

from andon.backbones import Backbone
from andon.detectors._attention import AttentionAutoencoder as Network
from andon.detectors._base import Batch, Capabilities, Detector, require
from andon.detectors._scoring import top_k_mean
from andon.detectors._shapes import Shape
from andon.detectors._ssim import ssim
from andon.detectors._training import GradientConfig, seeded, train


@dataclass(frozen=True, kw_only=True)
class AttentionAutoencoderConfig(GradientConfig):
    """Attributes:
    width: channels of the first level; each level has twice those of the one before.
    ssim_weight: share of 1 - SSIM in the loss, in [0, 1]; the rest is the mean squared error.
    top_k: the image score is the mean of this many largest pixel errors.
    """

    width: int = 16
    ssim_weight: float = 0.85
    top_k: int = 1500
    epochs: int = 25
    patience: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.width >= 1, "width", self.width, "1 or more")
        require(self.top_k >= 1, "top_k", self.top_k, "1 or more")
        require(0 <= self.ssim_weight <= 1, "ssim_weight", self.ssim_weight, "from 0 to 1")


class AttentionAutoencoder(Detector[AttentionAutoencoderConfig]):
    """The patch scores are the squared error of each pixel, a mean over its colours. The backbone is not used.

    Attributes:
        taught_: () bool, there once the network is fitted.
    """

    Config = AttentionAutoencoderConfig
    capabilities = Capabilities(exports=True, learns_by_gradient=True)
    taught_: Tensor

    def __init__(self, config: AttentionAutoencoderConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        self.network = Network(config.width)
        self.register_buffer("taught_", None)

    def shapes(self) -> dict[str, Shape]:
        return {"taught_": Shape((), torch.bool)}

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        with seeded(generator):
            self.network = Network(self.config.width)
        optimiser = Adam(self.network.parameters(), self.config.learning_rate)

        def step(x: Tensor, roi: Tensor) -> dict[str, float]:
            squared, dissimilar = self._losses(x, roi)
            loss = (1 - self.config.ssim_weight) * squared + self.config.ssim_weight * dissimilar
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            return {"squared error": squared.item(), "1 - SSIM": dissimilar.item()}

        def validate(x: Tensor, roi: Tensor) -> float:
            squared, dissimilar = self._losses(x, roi)
            return float((1 - self.config.ssim_weight) * squared + self.config.ssim_weight * dissimilar)

        self.history = train(
            batches,
            modules={"network": self.network},
            optimisers={"network": optimiser},
            step=step,
            validate=validate,
            epochs=self.config.epochs,
            patience=self.config.patience,
            generator=generator,
            checkpoint=self.checkpoint,
        )
        self.taught_ = torch.tensor(True)

    def _losses(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        """The mean squared error and the mean of 1 - SSIM inside the ROI."""
        restored = self._restored(x, roi)
        inside = roi.unsqueeze(1)
        n = (inside.sum() * x.shape[1]).clamp(min=1)
        dissimilar = (1 - ssim(x, restored)) * inside
        return (x - restored).square().sum() / n, dissimilar.sum() / n

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        errors = (x - self._restored(x, roi)).square().mean(dim=1)
        image = top_k_mean(errors.flatten(1), roi.flatten(1), self.config.top_k)
        return image, errors

    def _restored(self, x: Tensor, roi: Tensor) -> Tensor:
        """The network's reconstruction of x (B, 3, H, W), black outside the ROI as x is."""
        restored: Tensor = self.network(x)
        return restored * roi.unsqueeze(1)


DETECTOR = AttentionAutoencoder
