"""PaDiM: each position's distance to the Gaussian of what the OK photos show there.

Defard et al., "PaDiM: a Patch Distribution Modeling Framework for Anomaly Detection and Localization", ICPR 2021
(arXiv 2011.08785). For parts that always lie alike: photos are compared position by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from andon import resources
from andon.backbones import Backbone
from andon.detectors._base import Batch, Detector, patches_in_roi, require
from andon.detectors._embedding import concatenate
from andon.detectors._moments import Moments
from andon.detectors._shapes import Shape
from andon.detectors._threads import over_cores
from andon.errors import ConfigError, ModelError

SHARE_OF_MEMORY = 0.7  # of what is available; the rest is for photos and the network


@dataclass(frozen=True, kw_only=True)
class PadimConfig:
    """Attributes:
    dimensions: channels drawn at random from the concatenated feature maps, at most all of them. Memory in training
        and size of the model grow with its square: positions x dimensions^2 x 4 bytes, 125 MB for 56 x 56 x 100.
    regularisation: added to the diagonal of every covariance (epsilon in section III.B).
    """

    dimensions: int = 100
    regularisation: float = 0.01

    def __post_init__(self) -> None:
        require(self.dimensions >= 1, "dimensions", self.dimensions, "1 or more")
        require(self.regularisation > 0, "regularisation", self.regularisation, "above 0")


class Padim(Detector[PadimConfig]):
    """The paper's feature maps are those at `backbone.strides=[4,8,16]`.

    Attributes:
        size_: (2,) height and width of the training photos.
        channels_: (D,) which channels were drawn.
        mean_: (h, w, D).
        cholesky_: (h, w, D, D) lower triangles L of the covariances L L^T.
    """

    Config = PadimConfig
    size_: Tensor
    channels_: Tensor
    mean_: Tensor
    cholesky_: Tensor

    def __init__(self, config: PadimConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        for name in ("size_", "channels_", "mean_", "cholesky_"):
            self.register_buffer(name, None)

    def shapes(self) -> dict[str, Shape]:
        dimensions = min(self.config.dimensions, sum(self.backbone.channels))
        return {
            "size_": Shape((2,), torch.int64),
            "channels_": Shape((dimensions,), torch.int64),
            "mean_": Shape(("h", "w", dimensions)),
            "cholesky_": Shape(("h", "w", dimensions, dimensions)),
        }

    def restore(self, learned: Mapping[str, Tensor]) -> Self:
        """As `Detector.restore`; every channel must be one of the backbone's."""
        super().restore(learned)
        if not ((self.channels_ >= 0) & (self.channels_ < sum(self.backbone.channels))).all():
            raise ModelError("Its channels_ name channels that its backbone does not have; train it again.")
        return self

    @torch.inference_mode()
    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        channels = sum(self.backbone.channels)
        self.channels_ = torch.randperm(channels, generator=generator)[: self.config.dimensions]
        features_of = torch.inference_mode()(self._features)
        moments = None
        for x, roi in batches:
            features = torch.cat(over_cores(features_of, torch.split(x * roi.unsqueeze(1), 1)))
            if moments is None:
                self.size_ = torch.tensor(x.shape[2:])
                moments = Moments(self._shape_that_fits(features))
            self._require_size(x)
            moments.add(features, patches_in_roi(roi, (features.shape[1], features.shape[2])))
        if moments is None:
            raise ValueError("there are no photos to learn from")
        self.mean_, self.cholesky_ = moments.gaussians(self.config.regularisation)

    def _features(self, x: Tensor) -> Tensor:
        """The drawn channels of all maps at the positions of the finest: (B, h, w, D)."""
        return concatenate(self.backbone(x))[:, self.channels_].permute(0, 2, 3, 1)

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        self._require_size(x)
        difference = (self._features(x) - self.mean_).permute(1, 2, 3, 0)  # (h, w, D, B)
        whitened = torch.linalg.solve_triangular(self.cholesky_, difference, upper=False)
        distance = whitened.square().sum(dim=2).sqrt().permute(2, 0, 1)  # Mahalanobis, equation 2
        scores = distance * patches_in_roi(roi, (distance.shape[1], distance.shape[2]))
        return scores.flatten(1).amax(dim=1), scores

    def _shape_that_fits(self, features: Tensor) -> tuple[int, int, int]:
        """(h, w, D) of the features, if their covariances fit into memory."""
        _, h, w, dim = features.shape
        needed, available = 4 * h * w * dim**2, resources.available_memory()
        if needed > SHARE_OF_MEMORY * available:
            raise ConfigError(
                f"PaDiM needs {needed / 1e9:.1f} GB for {h} x {w} covariances of {dim} dimensions, and "
                f"{available / 1e9:.1f} GB are free; set detector.dimensions lower, or make the photos smaller."
            )
        return h, w, dim

    def _require_size(self, x: Tensor) -> None:
        height, width = self.size_.tolist()
        if tuple(x.shape[2:]) != (height, width):
            raise ConfigError(
                f"PaDiM compares position by position and was trained on photos of {width} x {height}, but got one of "
                f"{x.shape[3]} x {x.shape[2]}; let the step 'resize' bring all photos to one canvas."
            )


DETECTOR = Padim
