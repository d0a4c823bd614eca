"""Which of many counted shares, such as NG by day, differ from the others by more than they usually do: a p' chart.

Laney 2002, "Improved control charts for attributes", Quality Engineering 14(4): where a day has thousands of photos,
the limits of an ordinary p chart are so narrow that nearly every day lies beyond them. So they are widened by how much
neighbouring days differ from each other, to which a lasting change in the middle hardly adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SIGMAS = 3.0
D2 = 1.128  # the mean difference of two normal values, in standard deviations
LEAST = 8  # shares, fewer say nothing of how much they usually differ
LEAST_EXPECTED = 1.0  # of a share's count; of rarer things a single one would lie beyond the limits


@dataclass(frozen=True)
class Limits:
    """Attributes:
    mean: of all, weighed by their totals.
    low, high: of each share, in [0, 1].
    beyond: whether each lies outside of them.
    """

    mean: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    beyond: tuple[bool, ...]


def limits(counts: Sequence[int], totals: Sequence[int]) -> Limits | None:
    """The limits of counts[i] / totals[i], in their order in time; None where too few can be compared.

    Args:
        totals: 0 where there was nothing to count.
    """
    k, n = np.array(counts, dtype=np.float64), np.array(totals, dtype=np.float64)
    if not n.sum():
        return None
    mean = float(k.sum() / n.sum())
    known = n * mean >= LEAST_EXPECTED
    if known.sum() < LEAST or mean == 1:
        return None
    share = k / np.maximum(n, 1)
    sigma = np.sqrt(mean * (1 - mean) / np.maximum(n, 1))
    usual = max(1.0, float(np.abs(np.diff(((share - mean) / sigma)[known])).mean()) / D2)
    low, high = np.clip(mean - SIGMAS * usual * sigma, 0, 1), np.clip(mean + SIGMAS * usual * sigma, 0, 1)
    beyond = known & ((share < low) | (share > high))
    return Limits(mean, tuple(low.tolist()), tuple(high.tolist()), tuple(beyond.tolist()))
