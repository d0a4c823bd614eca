"""SPADE: the distance of a photo to the OK photos most like it, and of its pixels to theirs.

Cohen & Hoshen, "Sub-Image Anomaly Detection with Deep Pyramid Correspondences", 2020 (arXiv 2005.02357).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from andon import resources
from andon.backbones import Backbone
from andon.detectors._base import Batch, Capabilities, Detector, map_size, patches_in_roi, require
from andon.detectors._embedding import concatenate, projected, projection
from andon.detectors._memory_bank import places
from andon.detectors._scoring import nearest, neighbours
from andon.detectors._shapes import Shape
from andon.errors import ConfigError

SHARE_OF_MEMORY = 0.5  # of what is available, for the gallery
QUERIES_AT_ONCE = 128


@dataclass(frozen=True, kw_only=True)
class SpadeConfig:
    """Attributes:
    num_photos: the OK photos most like a photo whose pixels it is compared with (K in section 3.2).
    num_pixels: the nearest of their pixels that count (kappa in section 3.3).
    target_dim: the pixels' features are projected to this many dimensions; 0 for no projection, as in the paper.
    pixel_share: share of each OK photo's pixels that is kept, drawn by chance, in (0, 1]. The gallery takes
        photos x pixels x dimensions x 2 bytes of memory and model, and time per photo grows with it.
    image_score: "photo" is the paper's, the mean squared distance of the whole photo to the K; "pixel" is the largest
        pixel score, which sees smaller defects.
    """

    num_photos: int = 50
    num_pixels: int = 1
    target_dim: int = 128
    pixel_share: float = 1.0
    image_score: Literal["photo", "pixel"] = "photo"

    def __post_init__(self) -> None:
        require(self.num_photos >= 1, "num_photos", self.num_photos, "1 or more")
        require(self.num_pixels >= 1, "num_pixels", self.num_pixels, "1 or more")
        require(self.target_dim >= 0, "target_dim", self.target_dim, "0 (no projection) or more")
        require(0 < self.pixel_share <= 1, "pixel_share", self.pixel_share, "above 0 and at most 1")


class Spade(Detector[SpadeConfig]):
    """A "pixel" is a position of the finest feature map.

    Attributes:
        projection_: (C, D) orthonormal columns.
        photos_: (N, C) the mean features of each OK photo inside its ROI.
        gallery_: (M, D) float16, the pixels of all OK photos.
        origin_: (M, 3) where each of them comes from, see `_memory_bank.places`.
    """

    Config = SpadeConfig
    capabilities = Capabilities(keeps_patches=True)
    projection_: Tensor
    photos_: Tensor
    gallery_: Tensor
    origin_: Tensor

    def __init__(self, config: SpadeConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        for name in ("projection_", "photos_", "gallery_", "origin_"):
            self.register_buffer(name, None)

    def shapes(self) -> dict[str, Shape]:
        channels = sum(self.backbone.channels)
        dimensions = projected(channels, self.config.target_dim)
        return {
            "projection_": Shape((channels, dimensions)),
            "photos_": Shape(("P", channels)),
            "gallery_": Shape(("M", dimensions), torch.float16),
            "origin_": Shape(("M", 3)),
        }

    @torch.inference_mode()
    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        channels = sum(self.backbone.channels)
        dimensions = projected(channels, self.config.target_dim)
        self.projection_ = projection(channels, dimensions, generator)
        room = SHARE_OF_MEMORY * resources.available_memory()
        photos: list[Tensor] = []
        gallery: list[Tensor] = []
        origins: list[Tensor] = []
        for x, roi in batches:
            features, inside = self._features(x * roi.unsqueeze(1), roi)
            photos.append(_mean(features, inside))
            for pixels, mask in zip(features @ self.projection_, inside, strict=True):
                drawn = _drawn(int(mask.sum()), self.config.pixel_share, generator)
                origins.append(places(mask, len(gallery))[drawn])
                gallery.append(pixels[mask][drawn].half())
                room -= gallery[-1].nbytes
            _require_room(room, sum(map(len, photos)))
        self.photos_, self.gallery_, self.origin_ = torch.cat(photos), torch.cat(gallery), torch.cat(origins)

    def most_like(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        features, inside = self._features(x * roi.unsqueeze(1), roi)
        _, closest = self._closest_photos(_mean(features, inside))
        distances, origins = [], []
        for photo, indices in zip(features @ self.projection_, closest, strict=True):
            bank, rows = self._pixels_of(indices)
            distance, found = nearest(photo.flatten(0, 1), bank)
            distances.append(distance.view(inside.shape[1:]))
            origins.append(self.origin_[rows[found]].view(*inside.shape[1:], 3))
        return torch.stack(distances), torch.stack(origins)

    def _features(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        """All maps at the positions of the finest, (B, h, w, C), and which are inside the ROI, (B, h, w)."""
        features = concatenate(self.backbone(x))
        return features.permute(0, 2, 3, 1), patches_in_roi(roi, map_size(features))

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        features, inside = self._features(x, roi)
        distances, closest = self._closest_photos(_mean(features, inside))
        pixels = torch.stack(
            [
                self._pixel_scores(photo.flatten(0, 1), indices).view(inside.shape[1:])
                for photo, indices in zip(features @ self.projection_, closest, strict=True)
            ]
        )
        pixels = pixels * inside
        if self.config.image_score == "pixel":
            return pixels.flatten(1).amax(dim=1), pixels
        return distances.mean(dim=1) * inside.flatten(1).any(dim=1), pixels

    def _closest_photos(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        """Squared distances (B, K) of `photos` (B, C) to the OK photos most like them, and which (equation 1)."""
        k = min(self.config.num_photos, len(self.photos_))
        distances = (photos.unsqueeze(1) - self.photos_).square().sum(dim=2)
        closest = distances.topk(k, dim=1, largest=False)
        return closest.values, closest.indices

    def _pixel_scores(self, queries: Tensor, photos: Tensor) -> Tensor:
        """Mean squared distance (Q,) of `queries` (Q, D) to the nearest pixels of these `photos` (equation 3)."""
        bank, _ = self._pixels_of(photos)
        if self.config.num_pixels == 1:
            return nearest(queries, bank)[0].square()
        k = self.config.num_pixels
        found = torch.cat([neighbours(some, bank, k) for some in torch.split(queries, QUERIES_AT_ONCE)])
        return (queries.unsqueeze(1) - bank[found]).square().sum(dim=2).mean(dim=1)

    def _pixels_of(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        """The pixels (M', D) of these `photos`, and which rows of the gallery they are."""
        rows = torch.isin(self.origin_[:, 0].long(), photos).nonzero().squeeze(1)
        return self.gallery_[rows].float(), rows


def _mean(features: Tensor, inside: Tensor) -> Tensor:
    """The mean (B, C) of the features (B, h, w, C) that are `inside` (B, h, w) the ROI; 0 where none is."""
    total = (features * inside.unsqueeze(3)).sum(dim=(1, 2))
    return total / inside.sum(dim=(1, 2)).clamp(min=1).unsqueeze(1)


def _drawn(n: int, share: float, generator: torch.Generator) -> Tensor:
    """Indices of that share of `n` pixels, drawn by chance, of one at least."""
    if share == 1:
        return torch.arange(n)
    return torch.randperm(n, generator=generator)[: max(1, round(share * n))]


def _require_room(room: float, n_photos: int) -> None:
    if room < 0:
        raise ConfigError(
            f"The pixels of the first {n_photos} OK photos fill the free memory; set detector.pixel_share or "
            "detector.target_dim lower."
        )


DETECTOR = Spade
