"""What a threshold promises of good parts that nobody has photographed yet.

There are two kinds. Both need new parts that are like those that calibrated, and scores of any distribution will do:

- On average over many calibrations with n photos each, a part lies above a threshold that leaves k of the n above it
  with probability (k + 1) / (n + 1), as each of the n + 1 is equally likely to be the highest (Vovk et al. 2005;
  Angelopoulos & Bates 2021, section 1). A single model may well be worse: with 99 photos, 37 % of them are.
- Of one model it can be said with 95 % confidence that it rejects at most the 95th percentile of the beta distribution
  Beta(k + 1, n - k), which is the upper end of Clopper and Pearson's interval (1934; order statistics: Wilks 1941).

Both parameters are whole numbers, so that distribution is a sum of binomial probabilities: a computer that only
inspects needs no scipy to read a model's promises.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95
HALVINGS = 64


class Promise(NamedTuple):
    """Of `n` held-out OK photos, `above` lie at or above a threshold, 0 <= above <= n and n >= 1."""

    n: int
    above: int

    @property
    def on_average(self) -> float:
        """The expected share of good parts above it, over calibrations that leave as many photos above."""
        return (self.above + 1) / (self.n + 1)

    @property
    def with_confidence(self) -> float:
        """The share of good parts above it that this one model stays below with 95 % confidence."""
        return upper_bound(self.above, self.n)

    def share_of_models_beyond(self, rate: float) -> float:
        """How many of such models, as a share, have more than `rate` of the good parts above their threshold."""
        return at_most(self.above, self.n, rate)


def upper_bound(k: int, n: int) -> float:
    """The share that lies above k of n > 0 with 95 % confidence, one-sided (Clopper and Pearson 1934)."""
    return _share_with(1 - CONFIDENCE, k, n)


def lower_bound(k: int, n: int) -> float:
    """The share that lies below k of n > 0 with 95 % confidence, one-sided."""
    return 1 - upper_bound(n - k, n)


def recall_bound(k: int, n: int) -> float:
    """The share of NG parts that a threshold on the k-th highest of n NG scores catches, with 95 % confidence.

    The threshold lies on one of the scores, so that score itself proves nothing: Beta(k, n + 1 - k).
    """
    return _share_with(CONFIDENCE, k - 1, n)


def at_most(k: int, n: int, share: float) -> float:
    """The probability that k or fewer of n parts lie above, where a share of all parts does, 0 <= k <= n."""
    if k >= n or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    counts = np.arange(k + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((n - counts[:-1]) / counts[1:]))])  # log of n choose count
    logs = ways + counts * math.log(share) + (n - counts) * math.log1p(-share)
    return min(1.0, float(np.exp(logs).sum()))


def _share_with(probability: float, k: int, n: int) -> float:
    """The share at which `at_most(k, n, share)` has come down to `probability`, by halving; 1 where it never does."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(k, n, middle) > probability else (low, middle)
    return high


def conformal_rank(n: int, rate: float) -> int:
    """The rank, from 1, of the OK score that keeps the false-reject rate: ceil((n + 1)(1 - rate))."""
    return math.ceil((n + 1) * (1 - rate) - 1e-9)  # 100 * 0.99 is a little over 99 in binary


def photos_needed(rate: float, above: int = 0) -> int:
    """The least number of OK photos that can promise `rate` on average, `above` of them above the threshold."""
    return math.ceil((above + 1) / rate - 1e-9) - 1


def photos_needed_with_confidence(rate: float, above: int = 0) -> int:
    """The least number of OK photos that can promise `rate` with 95 % confidence, `above` of them above the threshold.

    299 for 1 % and none above: 0.99 ** 299 < 0.05.
    """
    enough = above + 1
    while upper_bound(above, enough) > rate:
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if middle > above and upper_bound(above, middle) <= rate:
            enough = middle
        else:
            too_few = middle
    return enough


def percent(rate: float) -> str:
    """A rate for people: 0.0182 is "1.8 %"."""
    return f"{100 * rate:.2g} %" if rate < 0.1 else f"{100 * rate:.3g} %"
