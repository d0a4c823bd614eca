"""How long a memory bank will take, said before there is one.

How many patches it will keep and what a pair of points costs follow from what training took on real photo sets
(docs/performance.md, "Teaching"); how fast this machine is at it is measured.
"""

from __future__ import annotations

import time

import torch

from andon.detectors._coreset import CHOOSING, expected_size
from andon.detectors._memory_bank import LEAST_RATIO, LEAVING_OUT, QUERIES_AT_ONCE
from andon.detectors._threads import alone
from andon.work import Phase

POINTS, TIMES = 1024, 16  # in the product that is timed, the fastest of so many, as other programs disturb it
CHOICE, CHOICE_OF_ROW = 11500, 5.8  # what choosing costs per patch, and per patch and row, in pairs of the product
LEAVING, LEAVING_OF_ROW = 7800, 1.1
SEARCH_OF_ROW = 0.9


def expected_of_bank(
    photos: int, of_one: float, dim: int, ratio: float, *, by_radius: bool
) -> tuple[list[Phase], float]:
    """What follows the photos' embedding, choosing the bank and leaving folds out; and the seconds of a photo's search.

    Args:
        of_one: patches of a photo.
        by_radius: the bank may be smaller than `ratio`.
    """
    patches, pair = photos * of_one, _seconds_per_pair(dim)
    rows = round(ratio * patches)
    if by_radius:
        rows = expected_size(round(patches), rows, round(min(LEAST_RATIO, ratio) * patches))
    searches = 2 * patches / QUERIES_AT_ONCE
    phases = [
        Phase(CHOOSING, patches, pair * (CHOICE + CHOICE_OF_ROW * rows), "pair"),
        Phase(LEAVING_OUT, searches, pair * patches * (LEAVING + LEAVING_OF_ROW * rows) / searches, "pair"),
    ]
    return phases, pair * SEARCH_OF_ROW * of_one * rows


def _seconds_per_pair(dim: int) -> float:
    """What comparing two points of `dim` values costs one core here, in CPU time, as a part of a large product."""
    points = torch.ones(POINTS, dim)

    def product() -> float:
        started = time.thread_time()
        points @ points.T
        return time.thread_time() - started

    return min(alone(product) for _ in range(TIMES)) / POINTS**2
