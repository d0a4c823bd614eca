"""What verdicts cost: the price of an escape, of a reject and of a review, over a thousand parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from andon.errors import InputError
from andon.line.rules import ScoreArray, just_above

PARTS = 1000


@dataclass(frozen=True, kw_only=True)
class Prices:
    """In any one currency.

    Attributes:
        escape: of a defective part that is called OK.
        reject: of a good part that is called NG.
        review: of a part, good or not, that a person looks at and judges rightly.
        share_ng: share of defective parts in production, in [0, 1].
    """

    escape: float
    reject: float
    review: float
    share_ng: float

    def __post_init__(self) -> None:
        for name in ("escape", "reject", "review"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"--price-{name} is {getattr(self, name):g}; give a price of 0 or more.")
        if not 0 <= self.share_ng <= 1:
            raise InputError(f"--share-ng is {self.share_ng:g}; give a share between 0 and 1, for example 0.01.")


class Outcome(NamedTuple):
    """What thresholds do with a thousand parts, and what it costs.

    A review is of a good or of a defective part. The three numbers are of parts, not of photos.
    """

    threshold: float
    review_threshold: float | None
    rejects: float
    reviews: float
    escapes: float
    cost: float


def outcome(
    ok: ScoreArray, ng: ScoreArray, threshold: float, review_threshold: float | None, prices: Prices
) -> Outcome:
    """What the thresholds are expected to do.

    One photo more than there is lies on the wrong side of each threshold, as a threshold that rests on photos does
    better on these than on others: of n photos with k above it, (k + 1) / (n + 1).

    Args:
        ok, ng: scores, at least one each.
    """
    begins = threshold if review_threshold is None else review_threshold
    rejects = (1 - prices.share_ng) * _beyond(int((ok >= threshold).sum()), len(ok))
    ok_aside = (1 - prices.share_ng) * _beyond(int((ok >= begins).sum()), len(ok)) - rejects
    escapes = prices.share_ng * _beyond(int((ng < begins).sum()), len(ng))
    ng_aside = prices.share_ng * _beyond(int((ng < threshold).sum()), len(ng)) - escapes
    reviews = max(0.0, ok_aside + ng_aside)
    cost = rejects * prices.reject + reviews * prices.review + escapes * prices.escape
    return Outcome(threshold, review_threshold, PARTS * rejects, PARTS * reviews, PARTS * escapes, PARTS * cost)


def cheapest(ok: ScoreArray, ng: ScoreArray, prices: Prices, *, review: bool) -> Outcome:
    """The thresholds of the lowest cost; of equally cheap ones those that let least escape.

    Args:
        review: whether there may be a band.
    """
    pooled = np.unique(np.concatenate([ok, ng]))
    bars = np.array([float(pooled[0]), *(just_above(float(score)) for score in pooled)])
    n, m = len(ok), len(ng)
    rejected = (1 - prices.share_ng) * (n - np.searchsorted(np.sort(ok), bars) + 1) / (n + 1)
    missed = prices.share_ng * (np.searchsorted(np.sort(ng), bars) + 1) / (m + 1)
    # A band from bar i up to bar j: what lies above i and not above j is reviewed.
    begin = rejected * prices.review + missed * (prices.escape - prices.review)
    end = rejected * (prices.reject - prices.review) + missed * prices.review
    costs = begin[:, None] + end[None, :] if review else np.diag(begin + end)
    allowed = np.triu(np.ones(costs.shape, bool)) if review else np.eye(len(bars), dtype=bool)
    i, j = np.unravel_index(np.argmin(np.where(allowed, costs, np.inf)), costs.shape)
    return outcome(ok, ng, float(bars[j]), float(bars[i]) if i < j else None, prices)


def _beyond(number: int, of: int) -> float:
    return (number + 1) / (of + 1)
