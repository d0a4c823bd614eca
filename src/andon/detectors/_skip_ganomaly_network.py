"""The two networks of Skip-GANomaly (Akçay et al. 2019, section III): fully convolutional, for photos of any shape."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky rectifiers
SPREAD = 0.02  # of the first weights, as in DCGAN


class Generator(nn.Module):
    """A U-Net: (B, 3, H, W) in [-1, 1] -> the same shape and range; H and W must be multiples of 2**depth.

    Every scale of the encoder is connected to the same scale of the decoder.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        channels = _channels(width, depth)
        self.down = _encoder(channels)
        self.up = nn.ModuleList(
            _up(channels[scale] if scale == depth - 1 else 2 * channels[scale], channels[scale - 1])
            for scale in range(depth - 1, 0, -1)
        )
        self.last = nn.ConvTranspose2d(2 * channels[0], 3, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        scales = []
        for block in self.down:
            x = block(x)
            scales.append(x)
        for block, skipped in zip(self.up, reversed(scales[:-1]), strict=True):
            x = torch.cat([block(x), skipped], dim=1)
        return torch.tanh(self.last(x))


class Discriminator(nn.Module):
    """Tells photos from what the generator makes: (B, 3, H, W) in [-1, 1] -> logits (B,), features (B, C, h, w).

    The features of its last scale are the latent space in which a photo and its reconstruction are compared.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        channels = _channels(width, depth)
        self.features = _encoder(channels)
        self.classify = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x)
        return self.classify(features).mean(dim=(1, 2, 3)), features


def initialise(network: nn.Module) -> None:
    """First weights as in DCGAN, by torch's own generator of random numbers."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, SPREAD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()


def _channels(width: int, depth: int) -> list[int]:
    """Of each scale, the finest first."""
    return [width * min(2**scale, 8) for scale in range(depth)]


def _encoder(channels: list[int]) -> nn.Sequential:
    """Halves the size at each scale. The first has no batch normalisation, as in DCGAN."""
    blocks = [nn.Sequential(nn.Conv2d(3, channels[0], 4, stride=2, padding=1), nn.LeakyReLU(SLOPE))]
    for before, after in pairwise(channels):
        convolution = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)
        blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(after), nn.LeakyReLU(SLOPE)))
    return nn.Sequential(*blocks)


def _up(before: int, after: int) -> nn.Sequential:
    """Twice the size."""
    convolution = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())
