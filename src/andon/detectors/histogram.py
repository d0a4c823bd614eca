"""Colour histograms alone: how far a photo's colours are from those of the OK photos.

It knows neither shape nor texture. It is the baseline: a network that does not beat it is not worth its cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from andon.backbones import Backbone
from andon.detectors._base import Batch, Capabilities, Detector, map_size, patches_in_roi, require
from andon.detectors._gaussians import Gaussians, shapes_of_gaussians
from andon.detectors._histograms import CELL, Colours, histograms, photo_histograms, window_histograms
from andon.detectors._shapes import Shape

WINDOWS_PER_PHOTO = 256
MAX_WINDOWS = 20_000


@dataclass(frozen=True, kw_only=True)
class HistogramConfig:
    """Attributes:
    method: "mahalanobis" compares with one Gaussian, "mixture" with several, for parts that come in several colours.
    components: the Gaussians of "mixture".
    colours: "lab" for CIE L*a*b*, or "rgb".
    bins: of each channel.
    window: side of the surroundings whose histogram makes a patch score, in cells of 8 x 8 pixels; odd.
    """

    method: Literal["mahalanobis", "mixture"] = "mahalanobis"
    components: int = 3
    colours: Colours = "lab"
    bins: int = 16
    window: int = 3

    def __post_init__(self) -> None:
        require(self.components >= 2, "components", self.components, "2 or more, as one is the method 'mahalanobis'")
        require(2 <= self.bins <= 64, "bins", self.bins, "from 2 to 64")
        require(self.window >= 1 and self.window % 2 == 1, "window", self.window, "an odd number of cells, such as 3")


class Histogram(Detector[HistogramConfig]):
    """The image score is the distance of the whole ROI's histogram, a patch score that of the histogram around it.

    The backbone is not used.
    """

    Config = HistogramConfig
    capabilities = Capabilities(exports=True)

    def __init__(self, config: HistogramConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        self.of_photo = Gaussians()
        self.of_window = Gaussians()

    def shapes(self) -> dict[str, Shape]:
        components = 1 if self.config.method == "mahalanobis" else self.config.components
        return {
            f"{part}.{name}": shape
            for part in ("of_photo", "of_window")
            for name, shape in shapes_of_gaussians(components, f"D of {part}").items()
        }

    @torch.inference_mode()
    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        photos, windows, n_pixels = [], [], 0
        for x, roi in batches:
            counts, covered = histograms(x * roi.unsqueeze(1), roi, self.config.colours, self.config.bins)
            photos.append(photo_histograms(counts, covered))
            of_batch = window_histograms(counts, covered, self.config.window)[patches_in_roi(roi, map_size(counts))]
            windows.append(_some(of_batch, WINDOWS_PER_PHOTO * len(x), generator))
            n_pixels += int(roi.sum())
        every_photo = torch.cat(photos)
        self._learn(self.of_photo, every_photo, n_pixels / len(every_photo), generator)
        some_windows = _some(torch.cat(windows), MAX_WINDOWS, generator)
        self._learn(self.of_window, some_windows, (self.config.window * CELL) ** 2, generator)

    def _learn(self, gaussians: Gaussians, points: Tensor, n_pixels: float, generator: torch.Generator) -> None:
        components = 1 if self.config.method == "mahalanobis" else self.config.components
        seed = int(torch.randint(2**31, (1,), generator=generator))
        # The square root of a share varies by 1 / (4 n) from counting n pixels alone.
        gaussians.fit(points, components, least_variance=1 / (4 * n_pixels), seed=seed)

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        counts, covered = histograms(x, roi, self.config.colours, self.config.bins)
        image = self.of_photo(photo_histograms(counts, covered)) * roi.flatten(1).any(dim=1)
        patches = self.of_window(window_histograms(counts, covered, self.config.window))
        return image, patches * patches_in_roi(roi, map_size(counts))


def _some(points: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """At most `n` of the points (N, D), drawn at random."""
    return points[torch.randperm(len(points), generator=generator)[:n]]


DETECTOR = Histogram
