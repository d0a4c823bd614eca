"""One Gaussian per position, from features that come in batches and are not kept."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

POSITIONS_AT_ONCE = 256
FEWEST = 2  # photos that must have shown a position for a Gaussian of its own


class Moments:
    """Count, sum and sum of outer products at each position: (h w) x D x D float32, whatever the number of photos.

    Features are counted from `origin`, the mean of the first batch, so that the difference of two large sums does not
    cost the digits that matter.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self._height, self._width, dim = shape
        positions = self._height * self._width
        self._count = torch.zeros(positions)
        self._sum = torch.zeros(positions, dim)
        self._outer = torch.zeros(positions, dim, dim)
        self._origin = torch.zeros(dim)

    def add(self, features: Tensor, inside: Tensor) -> None:
        """Take in features (B, h, w, D) at the positions that are `inside` (B, h, w) the ROI."""
        weight = inside.flatten(1).T.unsqueeze(2).float()  # (h w, B, 1)
        points = features.flatten(1, 2).transpose(0, 1)  # (h w, B, D)
        if not self._count.any():
            self._origin = (points * weight).sum(dim=(0, 1)) / weight.sum().clamp(min=1)
        points = (points - self._origin) * weight
        self._count += weight.sum(dim=(1, 2))
        self._sum += points.sum(dim=1)
        self._outer.baddbmm_(points.transpose(1, 2), points)

    def gaussians(self, regularisation: float) -> tuple[Tensor, Tensor]:
        """Means (h, w, D) and lower Cholesky factors (h, w, D, D) of the covariances + regularisation x identity.

        A position that fewer than two photos have shown gets the Gaussian of all positions together. The sums are
        overwritten, as there may be no room for the covariances beside them.
        """
        few = self._count < FEWEST
        for sums in (self._sum, self._outer, self._count):
            sums[few] = sums.sum(dim=0)
        mean = self._sum / self._count.unsqueeze(1)
        ridge = regularisation * torch.eye(mean.shape[1])
        for first in range(0, len(mean), POSITIONS_AT_ONCE):
            tile = slice(first, first + POSITIONS_AT_ONCE)
            n, m = self._count[tile, None, None], mean[tile]
            scatter = self._outer[tile] - n * m.unsqueeze(2) * m.unsqueeze(1)
            self._outer[tile] = torch.linalg.cholesky(scatter / (n - 1).clamp(min=1) + ridge)
        grid = (self._height, self._width)
        return (mean + self._origin).view(*grid, -1), self._outer.view(*grid, *ridge.shape)
