"""Colour histograms of a photo and of its surroundings place by place."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from andon.detectors._embedding import srgb_to_lab

Colours = Literal["lab", "rgb"]
CELL = 8
MAX_CHROMA = 64.0  # a* and b* beyond it are rare in photos of parts and counted in the outermost bin


def histograms(x: Tensor, roi: Tensor, colours: Colours, bins: int) -> tuple[Tensor, Tensor]:
    """Histograms of the three channels in each cell of 8 x 8 pixels.

    A pixel counts for the two bins it lies between, by how near it is to each, so that a small change of colour makes
    a small change of the histogram.

    Args:
        x: (B, 3, H, W) sRGB in [0, 1].
        roi: (B, H, W) bool.

    Returns:
        counts: (B, 3 * bins, h, w), what share of the cell's pixels lies in the ROI and in that bin.
        covered: (B, 1, h, w), what share of the cell's pixels lies in the ROI.
    """
    height, width = int(x.shape[2]), int(x.shape[3])  # tensors while the network is converted
    size = max(1, round(height / CELL)), max(1, round(width / CELL))
    inside = roi.unsqueeze(1).float()
    position = _channels(x, colours).clamp(0, 1) * (bins - 1)
    counts = [
        F.interpolate((1 - (position - k).abs()).clamp(min=0) * inside, size=size, mode="area") for k in range(bins)
    ]
    return torch.stack(counts, dim=2).flatten(1, 2), F.interpolate(inside, size=size, mode="area")


def photo_histograms(counts: Tensor, covered: Tensor) -> Tensor:
    """One histogram per photo: (B, 3 * bins), square roots of the shares of the ROI's pixels."""
    return (counts.sum(dim=(2, 3)) / covered.sum(dim=(2, 3)).clamp(min=1e-6)).sqrt()


def window_histograms(counts: Tensor, covered: Tensor, window: int) -> Tensor:
    """One histogram per cell, of `window` x `window` cells around it: (B, h, w, 3 * bins), square roots of shares."""
    counts, covered = (F.avg_pool2d(values, window, stride=1, padding=window // 2) for values in (counts, covered))
    return (counts / covered.clamp(min=1e-6)).sqrt().permute(0, 2, 3, 1)


def _channels(x: Tensor, colours: Colours) -> Tensor:
    """The three channels from 0 to 1."""
    if colours == "rgb":
        return x
    lab = srgb_to_lab(x)
    return torch.cat([lab[:, :1] / 100, (lab[:, 1:] / MAX_CHROMA + 1) / 2], dim=1)
