"""Points in cells, so that new centres need comparing only with the points that they can matter to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from andon.detectors._distances import exact, screen
from andon.detectors._threads import map_over_cores

TILE = 1024  # the most points in one product
PAIRS = 128  # pairs computed exactly at a time: they stay in the cache


@dataclass(frozen=True)
class Cells:
    """The points, each in the cell of a pivot near to it.

    Attributes:
        pivots: (P, D).
        features: (N, D).
        pivot_of: (N,) which pivot a point belongs to.
        away: (N,) float64, its squared distance to that pivot.
        members: the points of each of the P cells.
    """

    pivots: Tensor
    features: Tensor
    pivot_of: Tensor
    away: Tensor
    members: tuple[Tensor, ...]

    @classmethod
    def around(cls, pivots: Tensor, features: Tensor) -> Cells:
        """Every point in the cell of its nearest pivot, as far as float32 can tell."""

        def assign(rows: Tensor) -> tuple[Tensor, Tensor]:
            pivot = screen(rows, pivots, pivots[0])[0].argmin(1)
            return pivot, exact(rows.double(), pivots.index_select(0, pivot).double())

        pivot_of = torch.empty(len(features), dtype=torch.int64, device=features.device)
        away = torch.empty(len(features), dtype=torch.float64, device=features.device)
        tiles = [slice(first, first + TILE) for first in range(0, len(features), TILE)]
        # Written down at once: small results that wait between large products keep those from being reused.
        for tile, result in zip(tiles, map_over_cores(assign, [features[tile] for tile in tiles]), strict=True):
            pivot_of[tile], away[tile] = result
        sizes = pivot_of.bincount(minlength=len(pivots)).tolist()
        return cls(pivots, features, pivot_of, away, torch.split(pivot_of.argsort(), sizes))

    def update(self, known: Tensor, centres: Tensor) -> None:
        """Lower `known` (N,), the points' squared distances to their nearest centre, by new `centres` (C, D)."""

        def closest(task: tuple[Tensor, Tensor, Tensor]) -> Tensor:
            points, pivot, near = task
            return _closest(self.features.index_select(0, points), centres[near], pivot, known[points])

        tasks = [
            (points, pivot, near)
            for members, pivot, near in zip(self.members, self.pivots, self._near(known, centres), strict=True)
            if len(members) and near.any()
            for points in torch.split(members, TILE)
        ]
        for (points, _, _), distances in zip(tasks, map_over_cores(closest, tasks), strict=True):
            known[points] = distances

    def _near(self, known: Tensor, centres: Tensor) -> Tensor:
        """(P, C) bool: which centres may be closer to some point of a cell than that point's nearest so far."""
        reach = (self.away.sqrt() + known.clamp(min=0).sqrt()) * (1 + 1e-9)
        reach = reach.new_zeros(len(self.pivots)).scatter_reduce(0, self.pivot_of, reach, "amax")
        distances, error = screen(self.pivots, centres, self.pivots[0])
        return distances - error < reach.square()[:, None]


def _closest(rows: Tensor, centres: Tensor, origin: Tensor, known: Tensor) -> Tensor:
    """The smaller of `known` (R,) and the squared distances of `rows` (R, D) to the nearest of `centres` (C, D)."""
    distances, error = screen(rows, centres, origin)
    smallest = distances.amin(1)
    still_open = ((smallest - error < known) & (known > 0)).nonzero()[:, 0]
    limit = smallest[still_open] + 2 * error  # the nearest centre cannot lie beyond
    row, centre = (distances.index_select(0, still_open) <= limit[:, None]).nonzero(as_tuple=True)
    row = still_open[row]
    for first in range(0, len(row), PAIRS):
        i, j = row[first : first + PAIRS], centre[first : first + PAIRS]
        pairs = exact(rows.index_select(0, i).double(), centres.index_select(0, j).double())
        known = known.scatter_reduce(0, i, pairs, "amin")
    return known
