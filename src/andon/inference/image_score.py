"""From patch scores to an image score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ImageScore:
    """How the patch scores of the ROI make the image score, as `PatchCoreConfig` says it.

    Attributes:
        num_neighbors: of the re-weighting (b in Roth et al. 2022, section 3.3); 0 for none.
    """

    image_score: Literal["maximum", "percentile", "top_k_mean", "top_share_mean"] = "maximum"
    percentile: float = 95.0
    top_k: int = 10
    top_share: float = 0.01
    num_neighbors: int = 0

    def of(self, scores: Floats) -> float:
        """The image score of patch scores (P,) >= 0, before it is re-weighted; 0 where there are none."""
        if not len(scores):
            return 0.0
        if self.image_score == "maximum":
            return float(scores.max())
        if self.image_score == "percentile":
            return float(np.percentile(scores, self.percentile))
        share = max(1, round(self.top_share * len(scores)))
        k = min(len(scores), self.top_k if self.image_score == "top_k_mean" else share)
        return float(np.partition(scores, len(scores) - k)[-k:].mean(dtype=np.float64))


def weight(query: Floats, nearest: int, bank: Floats, around: Numbers) -> float:
    """The re-weighting of section 3.3, equation 7.

    One minus the softmax of the query's distance to its nearest row m* among its distances to the rows around m*.

    Args:
        query: (D,), the most anomalous patch.
        nearest: m*, a row of the bank (N, D).
        around: (b,) the rows nearest to m*, see `neighbours`.
    """
    to_nearest = np.linalg.norm(query - bank[nearest])
    to_around = np.linalg.norm(query - bank[around], axis=1).astype(np.float64)
    return float(1 - np.exp(to_nearest - np.logaddexp.reduce(to_around)))


def neighbours(rows: Numbers, bank: Floats, k: int) -> Numbers:
    """(R, k) the k rows of the bank (N, D) that are nearest to each of these rows (R,) of it, themselves included."""
    k = min(k, len(bank))
    farness = np.einsum("ij,ij->i", bank, bank) - 2 * (bank[rows] @ bank.T)
    return np.argpartition(farness, k - 1, axis=1)[:, :k]
