"""The greedy k-center coreset: the very centres of the plain loop, in a fraction of its time.

The plain loop (Gonzalez 1985; Roth et al. 2022, Algorithm 1) takes, again and again, the point that is farthest from
the centres taken so far, and reads every point once per centre. Three facts spare nearly all of that:

1. Distances only shrink. Steps among the B farthest points need no more than the distances between these B, until the
   best of them has come down to the farthest point outside. Only then are all points compared with the new centres.
2. The triangle inequality. Points lie in cells, each around a pivot p. A centre c can be closer to a point x than the
   distance d that x has now only if |c - p| < |x - p| + d, and most centres are too far from most cells.
3. What is left is a float32 matrix product whose error is bounded. It screens; the few pairs that it leaves open are
   computed exactly in float64, and no decision rests on anything else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice, takewhile

import numpy as np
import torch
from torch import Tensor

from andon import resources
from andon.detectors._cells import Cells
from andon.detectors._distances import exact, screen
from andon.progress import measured

CHOOSING = "choosing the coreset"
"""The phase of `andon.progress`; its items are points."""

BLOCK = 2048  # candidates in a round, so also the most centres that it finds
CELL = 512  # points in a cell on average,
PIVOTS = 1024  # but no more cells than about this many
ROWS, PATCHES, GROWTH = 2280, 122_000, 0.74  # so many patches needed so many rows, and this power of more patches
FEWEST_MARKS = 6  # from 32 points on the radius says how it falls,
STEEPEST = 12.0  # but not more slowly than with this root of their number
LARGEST = 1e15  # its square and sums of such squares are finite in float32


def greedy_coreset(features: Tensor, n: int, *, start: int = 0) -> Tensor:
    """Indices of `n` points that cover all others, in the order in which they are taken.

    The first is `start`; each next one is the point with the largest distance (`_distances.exact`) to its nearest
    centre, ties by the lowest index; none is taken twice. Nothing in it is random; a caller may draw `start`.
    The radius that stays uncovered is at most twice the smallest that n points can leave (Gonzalez 1985).

    Args:
        features: (N, D) float32, finite, on the CPU or a GPU; `points_that_fit` says how large N may be.
        n: from 1 to N.

    Returns:
        (n,) int64 on the CPU.
    """
    return coreset_and_radius(features, n, start=start)[0]


def coreset_and_radius(
    features: Tensor, n: int, *, start: int = 0, least: int = 1, radius: float = 0.0
) -> tuple[Tensor, float]:
    """`greedy_coreset` and its radius: the largest distance of a point to its nearest centre.

    Args:
        least, radius: fewer than `n` points are taken, but no fewer than `least`, where these leave every point nearer
            than `radius`.
    """
    if not 1 <= n <= len(features):
        raise ValueError(f"n must be from 1 to the {len(features)} points given, but got {n}")
    if not torch.stack(features.aminmax()).abs().max() < LARGEST:
        raise ValueError(f"features must be finite and smaller than {LARGEST:g}")
    order, taken = _farthest_first(features.detach(), start), list[int]()
    expected = ExpectedSize(len(features), n, least, radius)
    with measured(CHOOSING, part=len(features)) as tell:
        for index, away in islice(order, n):
            if len(taken) >= least and away < radius**2:
                return torch.tensor(taken), math.sqrt(away)
            taken.append(index)
            size = expected.after(len(taken), away)
            tell(_share_of_time(len(taken), size), f"{len(taken):,} of {'about ' if size < n else ''}{size:,} patches")
    _, away = next(order, (0, 0.0))  # the first one that is left out is the farthest
    return torch.tensor(taken), math.sqrt(away)


def expected_size(points: int, n: int, least: int) -> int:
    """How many of the patches of OK photos a coreset by radius will have, before anything is known of them."""
    return min(n, max(least, int(ROWS * math.pow(points / PATCHES, GROWTH))))


def _share_of_time(taken: int, size: int) -> float:
    """How much of the time of choosing `size` points has passed, roughly: the first ones take longest."""
    share = math.log1p(taken) / math.log1p(size)
    return 0.9 * share**2 + 0.1 * share**20


class ExpectedSize:
    """How many points a coreset will have. Its radius falls as a power of their number, which their doubling shows.

    Args:
        points: how many there are to choose from.
        n, least, radius: see `coreset_and_radius`.
    """

    def __init__(self, points: int, n: int, least: int, radius: float) -> None:
        self._n, self._least, self._radius = n, least, radius
        self._marks: list[float] = []  # the radius after 1, 2, 4 ... points
        self._expected = expected_size(points, n, least) if radius > 0 else n

    def after(self, taken: int, away: float) -> int:
        """What is expected after so many points, the last of which had the squared distance `away` from the others."""
        if taken & (taken - 1):  # no power of two
            return max(self._expected, taken)
        self._marks.append(math.sqrt(away))
        if self._radius > 0 and len(self._marks) > FEWEST_MARKS and self._marks[-1] > 0:
            slope = math.log2(self._marks[-3] / self._marks[-1]) / 2
            if slope > 0:
                size = taken * (max(1.0, self._marks[-1] / self._radius)) ** min(1 / slope, STEEPEST)
                self._expected = round(min(max(size, self._least), self._n))
        return max(self._expected, taken)


def points_to_add(features: Tensor, away: Tensor, radius: float) -> Tensor:
    """Which points must join centres that exist, so that no point is farther than `radius` from a centre.

    The greedy order goes on: the farthest point first.

    Args:
        features: (N, D) float32, finite, on the CPU.
        away: (N,) each point's distance to its nearest centre so far.

    Returns:
        Their indices (n,) int64, in the order in which they are taken.
    """
    known = away.double().square()
    if not len(known) or known.max() <= radius**2:
        return torch.zeros(0, dtype=torch.int64)
    first = int(known.argmax())
    order = _going_on(features, known, [], Cells.around(features[first : first + 1], features))
    return torch.tensor([index for index, _ in takewhile(lambda point: point[1] > radius**2, order)])


def points_that_fit(memory: int, dim: int) -> int:
    """How many points of `dim` values `greedy_coreset` can take in `memory` bytes, the features included."""
    block_and_workers = (1 + resources.cpus()) * 2**26
    return max(0, memory - block_and_workers) // (4 * dim + 96)


def _farthest_first(features: Tensor, start: int) -> Iterator[tuple[int, float]]:
    """All points, the farthest from those before it first, and its squared distance to the nearest of those."""
    yield start, math.inf
    cells = Cells.around(features[start : start + 1], features)
    yield from _going_on(features, cells.away.clone(), [start], cells)


def _going_on(features: Tensor, known: Tensor, new: list[int], cells: Cells) -> Iterator[tuple[int, float]]:
    """`_farthest_first` from where it is: `known` (N,) are squared distances to the centres, `new` those among here."""
    taken: list[int] = []
    while len(taken) + len(new) < len(features):
        taken += new
        known[new] = -math.inf
        if len(cells.pivots) == 1 and len(taken) >= min(PIVOTS, len(features) / CELL):
            cells = Cells.around(features[taken], features)
        new = []
        for index, away in _steps(features, known):
            new.append(index)
            yield index, away
        cells.update(known, features[new])


def _steps(features: Tensor, known: Tensor) -> Iterator[tuple[int, float]]:
    """The steps that the farthest points allow among themselves, before all others must be looked at again."""
    block, bar = _block(known)
    points = features.index_select(0, block)
    distances, error = screen(points, points, points.mean(0))
    lowest = distances.sub_(error).cpu().numpy()
    rows, nearest, indices = points.double().cpu().numpy(), known[block].cpu().numpy(), block.tolist()
    while nearest[best := int(nearest.argmax())] > bar:
        yield indices[best], float(nearest[best])
        still_open = ((lowest[best] < nearest) & (nearest > 0)).nonzero()[0]
        nearest[still_open] = np.minimum(nearest[still_open], exact(rows[still_open], rows[best : best + 1]))
        nearest[best] = -math.inf


def _block(known: Tensor) -> tuple[Tensor, float]:
    """The farthest points, by ascending index, and the bar: while above it, they precede all points outside."""
    bar = known.topk(min(BLOCK + 1, len(known))).values[-1].item()
    above = (known > bar).nonzero()[:, 0]
    if len(above):
        return above, bar
    tied = (known == bar).nonzero()[:BLOCK, 0]  # more tie than the block holds; those outside have higher indices
    return tied, math.nextafter(bar, -math.inf)
