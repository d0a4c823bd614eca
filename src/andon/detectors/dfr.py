"""Deep feature reconstruction: how badly an autoencoder of OK features reconstructs those of each position.

Yang, Shi & Qi, "DFR: Deep Feature Reconstruction for Unsupervised Anomaly Segmentation", 2020 (arXiv 2012.07122).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from andon.backbones import Backbone
from andon.detectors._base import Batch, Capabilities, Detector, patches_in_roi, require
from andon.detectors._covariance import StreamedCovariance, components
from andon.detectors._scoring import top_k_mean
from andon.detectors._shapes import Shape, require_shapes
from andon.detectors._training import GradientConfig, seeded, train
from andon.errors import ConfigError, DatasetError, ModelError

LOG = logging.getLogger("andon")

MEMORY = 6 * 10**9  # bytes, beside the backbone's own
COPIES = 4  # of a photo's features at a time: as they are, standardised, given back, and the hidden layers
ROWS_PER_STEP = 1024
MIN_SPREAD = 0.01  # of a channel, as a share of the mean spread: one that never moves must not be blown up
TINY_SPREAD = 1e-6  # where no channel moves, as in drawn parts without grain


@dataclass(frozen=True, kw_only=True)
class DfrConfig(GradientConfig):
    """Attributes:
    grid: positions along the short side of the grid that all feature maps are brought to. For photos of 1024 pixels
        128 makes calm maps and 170 finds smaller marks; time and memory grow with its square.
    variance: share of the features' variance whose principal components give the latent size, in (0, 1).
    samples: positions in all photos together that train the autoencoder.
    top_k: the image score is the mean of this many largest patch scores.
    """

    grid: int = 64
    variance: float = 0.9
    samples: int = 100_000
    top_k: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("grid", "samples", "top_k"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(0 < self.variance < 1, "variance", self.variance, "between 0 and 1")


class Dfr(Detector[DfrConfig]):
    """The patch scores are the mean squared error over the standardised channels.

    No more than one photo's features are held at a time. The autoencoder looks at each position on its own, so that a
    sample of the positions of each photo trains it as well as all of them do.

    Attributes:
        autoencoder: (N, C) -> (N, C), a network of 1 x 1 convolutions, written as layers on rows; None until fitted.
        mean_, spread_: (C,) mean and standard deviation of the OK features.
        latent_: () int, channels of the bottleneck.
    """

    Config = DfrConfig
    capabilities = Capabilities(exports=True, learns_by_gradient=True)
    autoencoder: nn.Sequential | None
    mean_: Tensor
    spread_: Tensor
    latent_: Tensor

    def __init__(self, config: DfrConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        self.autoencoder = None
        for name in ("mean_", "spread_", "latent_"):
            self.register_buffer(name, None)

    def shapes(self) -> dict[str, Shape]:
        channels = Shape((sum(self.backbone.channels),))
        return {"mean_": channels, "spread_": channels, "latent_": Shape((), torch.int64)}

    def restore(self, learned: Mapping[str, Tensor]) -> Self:
        """As `Detector.restore`; the network's size is one of the things that were learned."""
        if "latent_" in learned:
            require_shapes(learned, {"latent_": self.shapes()["latent_"]})
            if not 1 <= int(learned["latent_"]) <= sum(self.backbone.channels):
                raise ModelError("Its latent_ is not a number of channels that its backbone allows; train it again.")
            self.autoencoder = _autoencoder(sum(self.backbone.channels), int(learned["latent_"]))
        return super().restore(learned)

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        with torch.no_grad():
            n_photos = self._settle(batches)
            samples = list(self._samples(batches, max(1, self.config.samples // n_photos), generator))
        with seeded(generator):
            self.autoencoder = _autoencoder(sum(self.backbone.channels), int(self.latent_))
        optimiser = Adam(self.autoencoder.parameters(), self.config.learning_rate)

        def step(features: Tensor, inside: Tensor) -> dict[str, float]:
            rows = _rows(features, inside)
            total = 0.0
            for part in torch.split(rows[torch.randperm(len(rows))], ROWS_PER_STEP):
                loss = self._errors(part).mean()
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += len(part) * loss.item()
            return {"reconstruction": total / max(1, len(rows))}

        def validate(features: Tensor, inside: Tensor) -> float:
            rows = _rows(features, inside)
            return float(self._errors(rows).sum()) / max(1, len(rows))

        self.history = train(
            samples,
            modules={"autoencoder": self.autoencoder},
            optimisers={"autoencoder": optimiser},
            step=step,
            validate=validate,
            epochs=self.config.epochs,
            patience=self.config.patience,
            generator=generator,
            checkpoint=self.checkpoint,
        )

    def _settle(self, batches: Iterable[Batch]) -> int:
        """Find the mean, the spread and the latent size, and return the number of photos."""
        streamed, n_photos = StreamedCovariance(), 0
        for x, roi in batches:
            if not n_photos:
                self._state_memory(self._grid(x))
            n_photos += len(x)
            for features, inside in self._features(x * roi.unsqueeze(1), roi):
                streamed.add(features[:, inside].T)
        if not streamed.n:
            raise DatasetError("The ROI is empty in every OK photo; see what --preprocess-only writes, or drop steps.")
        covariance = streamed.covariance
        spread = covariance.diagonal().clamp(min=0).sqrt()
        spread = spread.clamp(min=max(MIN_SPREAD * float(spread.mean()), TINY_SPREAD))
        self.mean_, self.spread_ = streamed.mean, spread.float()
        self.latent_ = torch.tensor(components(covariance / spread.outer(spread), self.config.variance))
        return n_photos

    def _samples(self, batches: Iterable[Batch], per_photo: int, generator: torch.Generator) -> Iterator[Batch]:
        """Of each batch of photos, features (B, C, P) float16 of positions by chance, and which count (B, P) bool."""
        for x, roi in batches:
            drawn = []
            for features, inside in self._features(x * roi.unsqueeze(1), roi):
                chance = torch.rand(inside.shape, generator=generator).masked_fill(~inside, -1)
                best = chance.topk(min(per_photo, len(chance)))
                standardised = (features[:, best.indices] - self.mean_[:, None]) / self.spread_[:, None]
                drawn.append((standardised.half(), best.values >= 0))
            yield torch.stack([features for features, _ in drawn]), torch.stack([counts for _, counts in drawn])

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        scores = torch.stack(
            [self._errors((features.T - self.mean_) / self.spread_) for features, _ in self._features(x, roi)]
        )
        size = self._grid(x)
        inside = patches_in_roi(roi, size).flatten(1)
        scores = scores * inside
        image = top_k_mean(scores, inside, self.config.top_k)
        return image, scores.view(len(x), *size)

    def _features(self, x: Tensor, roi: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Of each photo of x, its features (C, P) at the P positions of the grid, and which are in the ROI (P,)."""
        h, w = self._grid(x)
        for photo, inside in zip(torch.split(x, 1), patches_in_roi(roi, (h, w)), strict=True):
            maps = [
                F.interpolate(features, (h, w), mode="area")
                if features.shape[2] > h
                else F.interpolate(features, (h, w), mode="bilinear")
                for features in self.backbone(photo)
            ]
            yield torch.cat(maps, dim=1)[0].flatten(1), inside.flatten()

    def _errors(self, rows: Tensor) -> Tensor:
        """(N,) mean squared error of standardised features (N, C)."""
        assert self.autoencoder is not None
        restored: Tensor = self.autoencoder(rows)
        return (restored - rows).square().mean(dim=1)

    def _grid(self, x: Tensor) -> tuple[int, int]:
        """(h, w), of the photo's shape."""
        height, width = int(x.shape[2]), int(x.shape[3])  # tensors while the network is converted
        scale = self.config.grid / min(height, width)
        return round(scale * height), round(scale * width)

    def _state_memory(self, size: tuple[int, int]) -> None:
        """Log how much memory will be taken.

        Raises:
            ConfigError: it would be more than `MEMORY`.
        """
        channels = sum(self.backbone.channels)
        sample = 2 * channels * self.config.samples  # float16
        photo = COPIES * 4 * channels * size[0] * size[1]
        what = f"{photo / 1e9:.2g} GB for the {channels} channels of a photo on {size[1]} x {size[0]} positions and "
        what += f"{sample / 1e9:.2g} GB for {self.config.samples} sampled positions"
        if sample > MEMORY / 2:
            fits = MEMORY // 2 // (2 * channels)
            raise ConfigError(f"dfr would take {what}, more than its 6 GB; set detector.samples to {fits} or less.")
        if photo + sample > MEMORY:
            fits = int(self.config.grid * ((MEMORY - sample) / photo) ** 0.5)
            raise ConfigError(f"dfr would take {what}, more than its 6 GB; set detector.grid to {fits} or less.")
        LOG.info(f"dfr takes {what}, beside the backbone's memory.")


def _autoencoder(channels: int, latent: int) -> nn.Sequential:
    widths = (
        channels,
        (channels + 2 * latent) // 2,
        2 * latent,
        latent,
        2 * latent,
        (channels + 2 * latent) // 2,
        channels,
    )
    layers: list[nn.Module] = []
    for width, following in pairwise(widths):
        layers += [nn.Linear(width, following), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _rows(features: Tensor, inside: Tensor) -> Tensor:
    """(B, C, P) and which positions count (B, P) -> (N, C) float32."""
    return features.transpose(1, 2)[inside].float()


DETECTOR = Dfr
