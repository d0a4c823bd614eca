"""Mean and covariance of more rows than memory holds."""

from __future__ import annotations

import torch
from torch import Tensor


class StreamedCovariance:
    """Sums over rows (N, C) that come piece by piece, in float64.

    Rows are taken relative to the mean of the first piece, so that a channel far from zero loses no digits.
    """

    def __init__(self) -> None:
        self.n = 0
        self._origin = torch.zeros(0)
        self._sum = torch.zeros(0)
        self._products = torch.zeros(0)

    def add(self, rows: Tensor) -> None:
        """Take in another piece, (n, C) float32; one without rows changes nothing."""
        if not len(rows):
            return
        if not self.n:
            self._origin = rows.mean(dim=0)
            self._sum = rows.new_zeros(rows.shape[1], dtype=torch.float64)
            self._products = rows.new_zeros(rows.shape[1], rows.shape[1], dtype=torch.float64)
        centred = rows - self._origin
        self.n += len(rows)
        self._sum += centred.sum(dim=0)
        self._products += centred.T @ centred

    @property
    def mean(self) -> Tensor:
        """(C,) float32."""
        return (self._origin + self._sum / self.n).float()

    @property
    def covariance(self) -> Tensor:
        """(C, C) float64, of the population."""
        shift = self._sum / self.n
        return self._products / self.n - shift.outer(shift)


def components(covariance: Tensor, share: float) -> int:
    """How many principal components hold this share of the variance; 1 where there is no variance."""
    variances = torch.linalg.eigvalsh(covariance).flip(0).clamp(min=0)
    reached = variances.cumsum(0) >= share * variances.sum()
    return int(reached.int().argmax()) + 1
