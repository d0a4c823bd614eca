"""Patch embeddings: what PatchCore and its relatives compare (Roth et al. 2022, section 3.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from andon.backbones import Backbone
from andon.detectors._threads import alone


def embed(backbone: Backbone, x: Tensor) -> Tensor:
    """One embedding per position of the finest feature map: (B, 3, H, W) -> (B, C, h, w).

    Each map is averaged over 3 x 3 neighbours (equation 2), brought to the size of the finest, and concatenated. What
    sees all of the photo anyway is not averaged: that would only blur it.
    """
    maps = [features.contiguous(memory_format=torch.channels_last) for features in backbone(x)]  # pools much faster
    if backbone.local:
        maps = [F.avg_pool2d(features, 3, stride=1, padding=1) for features in maps]
    return concatenate(maps)


def concatenate(maps: list[Tensor]) -> Tensor:
    """The channels of all maps (B, Ci, hi, wi) at the positions of the first and finest: (B, C, h, w)."""
    size = maps[0].shape[-2:]
    resized = [F.interpolate(features, size=size, mode="bilinear") for features in maps[1:]]
    return torch.cat([maps[0], *resized], dim=1)


def projected(channels: int, target_dim: int) -> int:
    """How many dimensions are left of the channels; `target_dim` 0 leaves all."""
    return min(target_dim, channels) or channels


def projection(channels: int, dimensions: int, generator: torch.Generator) -> Tensor:
    """(channels, dimensions): `random_orthogonal`, or the identity where nothing is left out."""
    return random_orthogonal(channels, dimensions, generator) if dimensions < channels else torch.eye(channels)


def random_orthogonal(channels: int, dimensions: int, generator: torch.Generator) -> Tensor:
    """(channels, dimensions), orthonormal columns: a frozen random projection that keeps distances in proportion."""
    columns: Tensor = alone(torch.linalg.qr, torch.randn(channels, dimensions, generator=generator)).Q
    return columns.contiguous()


def mean_lab(x: Tensor, roi: Tensor, size: tuple[int, int]) -> Tensor:
    """The mean CIE L*a*b* colour of each patch's pixels inside the ROI: (B, 3, h, w), L* in [0, 100], zero outside.

    Args:
        x: (B, 3, H, W) sRGB in [0, 1].
        roi: (B, H, W) bool.
    """
    inside = roi.unsqueeze(1).float()
    total = F.interpolate(srgb_to_lab(x) * inside, size=size, mode="area")
    share = F.interpolate(inside, size=size, mode="area")
    return total / share.clamp(min=1e-6)


def mean_chroma(x: Tensor, roi: Tensor, size: tuple[int, int]) -> Tensor:
    """The colour of each patch without its lightness: a* and b* of `mean_lab`, (B, 2, h, w).

    Averaged over 3 x 3 neighbours as the features are. Lightness stays out because light and shade change it more than
    defects do; the features see it anyway.
    """
    return F.avg_pool2d(mean_lab(x, roi, size)[:, 1:], 3, stride=1, padding=1)


def srgb_to_lab(x: Tensor) -> Tensor:
    """sRGB in [0, 1] (IEC 61966-2-1) to CIE 1976 L*a*b* under D65: (B, 3, H, W) -> (B, 3, H, W)."""
    linear = torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,bjhw->bihw", x.new_tensor(_XYZ_OVER_WHITE), linear)
    delta = 6 / 29
    f = torch.where(xyz > delta**3, xyz.clamp(min=1e-6) ** (1 / 3), xyz / (3 * delta**2) + 4 / 29)
    fx, fy, fz = f.unbind(dim=1)
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], dim=1)


# Rows of the sRGB -> XYZ matrix, each divided by the D65 white point (0.95047, 1, 1.08883).
_XYZ_OVER_WHITE = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)
