"""Random changes of photos while a detector learns by gradient; the seeded generator settles all of them."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_PATCHES = 5


def rotate_and_flip(
    x: Tensor, roi: Tensor, degrees: float, flip: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Turn each photo about its centre and mirror it at random; beyond its edge it is continued by reflection.

    Args:
        x: (B, 3, H, W).
        roi: (B, H, W) bool, moved along.
        degrees: the largest turn to either side.
        flip: every other photo is mirrored, on average.
    """
    n, _, h, w = x.shape
    angle = math.radians(degrees) * (2 * torch.rand(n, generator=generator) - 1)
    mirror = 1 - 2 * torch.randint(2, (n,), generator=generator) * int(flip)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(n)
    # affine_grid has both axes run from -1 to 1, so a turn must undo the photo's aspect
    rows = [torch.stack([mirror * cos, -sin * h / w, zero], 1), torch.stack([mirror * sin * w / h, cos, zero], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [n, 1, h, w], align_corners=False)
    photo = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    inside = F.grid_sample(roi[:, None].float(), grid, "nearest", padding_mode="reflection", align_corners=False)
    return photo, inside[:, 0] > 0.5


def paint_over(x: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """Paint up to five rectangles of one colour each over every photo.

    Args:
        x: (B, 3, H, W) in [-1, 1].
        largest: side of a rectangle as a share of the photo's; 0 leaves the photos as they are.
    """
    x = x.clone()
    h, w = x.shape[2:]
    for photo in x if largest else ():
        for _ in range(int(torch.randint(1, MAX_PATCHES + 1, (), generator=generator))):
            height, width, top, left = torch.rand(4, generator=generator).tolist()
            height, width = 1 + int(largest * height * h), 1 + int(largest * width * w)
            top, left = int(top * (h - height)), int(left * (w - width))
            colour = 2 * torch.rand(3, 1, 1, generator=generator) - 1
            photo[:, top : top + height, left : left + width] = colour
    return x


def shine(x: Tensor, strongest: float, generator: torch.Generator) -> Tensor:
    """Let a soft spot of light fall on each photo, at random.

    Args:
        x: (B, 3, H, W) in [-1, 1].
        strongest: how far towards white the middle of a spot may be, in [0, 1]; 0 leaves the photos as they are.
    """
    n, _, h, w = x.shape
    middle_y, middle_x, radius, strength = torch.rand(4, n, 1, 1, generator=generator).unbind()
    down, across = torch.linspace(0, 1, h)[:, None] - middle_y, torch.linspace(0, 1, w) - middle_x
    spot: Tensor = torch.exp(-(down.square() + across.square()) / (2 * (0.05 + 0.15 * radius).square()))
    return x + (strongest * strength * spot)[:, None] * (1 - x)
