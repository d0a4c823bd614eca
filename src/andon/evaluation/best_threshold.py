"""The threshold that would have done best on photos whose truth is known: a look back, no promise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from andon.evaluation.judged import JudgedPhotos


class BestThreshold(NamedTuple):
    """Every threshold above one score and up to another does the same, and none does better.

    Best is the lowest sum of the share of OK photos rejected and the share of NG photos that escape, without review.

    Attributes:
        above: the highest score that stays OK.
        up_to: the lowest score that is NG.
        n_rejected, n_escaped: OK photos called NG, and NG photos called OK.
    """

    above: float
    up_to: float
    n_rejected: int
    n_escaped: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return self._asdict()


def best_threshold(photos: JudgedPhotos) -> BestThreshold | None:
    """None without both OK and NG photos, or where nothing would stay OK. Invalid photos have no part in it."""
    valid = ~photos.gets("invalid")
    ok = np.sort(photos.scores[valid & ~photos.is_anomalous])
    ng = np.sort(photos.scores[valid & photos.is_anomalous])
    if not len(ok) or not len(ng):
        return None
    escaped = np.searchsorted(ng, ng)
    rejected = len(ok) - np.searchsorted(ok, ng)
    best = int(np.argmin(escaped / len(ng) + rejected / len(ok)))
    lower = [score for score in (*ok, *ng) if score < ng[best]]
    if not lower:
        return None
    return BestThreshold(float(max(lower)), float(ng[best]), int(rejected[best]), int(escaped[best]))
