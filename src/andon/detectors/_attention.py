"""CBAM, and the autoencoder that has it in its decoder.

Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018 (arXiv 1807.06521).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 4  # each halves the resolution
SKIP = 2  # the level, from 0, whose map the decoder sees beside what comes from the bottleneck
REDUCTION = 8  # of the channels in the hidden layer of the channel attention


class ChannelAttention(nn.Module):
    """Which channels matter: equation 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // REDUCTION)
        self.shared = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.sigmoid(self.shared(x.mean(dim=(2, 3))) + self.shared(x.amax(dim=(2, 3))))
        return x * weights[:, :, None, None]


class SpatialAttention(nn.Module):
    """Which places matter: equation 3."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.convolution(pooled))


class AttentionAutoencoder(nn.Module):
    """(B, 3, H, W) in [0, 1] -> the same, through a bottleneck of H / 16 x W / 16; any size will do."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        self.encoder = nn.ModuleList(
            _convolution(3 if level == 0 else widths[level - 1], widths[level], stride=2) for level in range(LEVELS)
        )
        self.decoder = nn.ModuleList(
            _decoding(widths[level] * (2 if level == SKIP else 1), widths[max(level - 1, 0)]) for level in range(LEVELS)
        )
        self.last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        maps = [x.contiguous(memory_format=torch.channels_last)]  # faster on a CPU
        for stage in self.encoder:
            maps.append(stage(maps[-1]))
        y = maps[-1]
        for level, stage in reversed(list(enumerate(self.decoder))):
            if level == SKIP:
                y = torch.cat([y, maps[SKIP + 1]], dim=1)
            y = F.interpolate(stage(y), size=maps[level].shape[2:])
        return torch.sigmoid(self.last(y))


def _decoding(before: int, after: int) -> nn.Module:
    return nn.Sequential(_convolution(before, after), ChannelAttention(after), SpatialAttention())


def _convolution(before: int, after: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
