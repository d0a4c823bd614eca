"""From patch scores to an image score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from andon.inference._arrays import Floats, Numbers

ROWS = 512  # whose neighbours are found at once


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


def neighbours(row: int, bank: Floats, norms: Floats, k: int) -> Numbers:
    """(k,) the rows of the bank (N, D) that are nearest to this one of it, itself included.

    There is no product of matrices in it: their library's threads would take the cores from those that score.

    Args:
        norms: (N,) the rows' squared lengths.
    """
    farness = norms - 2 * np.einsum("nd,d->n", bank, bank[row])
    return np.argpartition(farness, min(k, len(bank)) - 1)[:k]


def all_neighbours(bank: Floats, norms: Floats, k: int) -> Numbers:
    """(N, k) the `neighbours` of every row."""
    k = min(k, len(bank))
    parts = (norms - 2 * (some @ bank.T) for some in np.array_split(bank, -(-len(bank) // ROWS)))
    return np.concatenate([np.argpartition(farness, k - 1, axis=1)[:, :k] for farness in parts])
