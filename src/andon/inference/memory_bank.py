"""A memory bank of OK patches, as PatchCore scores with it (Roth et al. 2022, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from andon.inference._arrays import Floats, Numbers
from andon.inference.bank_search import BankSearch
from andon.inference.image_score import ImageScore, all_neighbours, neighbours, weight
from andon.types import FloatMap, Mask


@dataclass(frozen=True, eq=False)
class MemoryBank:
    """Any number of threads may look things up in it at once.

    Attributes:
        bank: (N, D) float32.
        origin: (N, 3) float32, where each row comes from, see `types.Nearest`.
        image_score: how the patches make the image score.
        around: (N, b) the rows nearest to each row, for the re-weighting; None where they are to be found as needed.
    """

    bank: Floats = field(repr=False)
    origin: Floats = field(repr=False)
    image_score: ImageScore
    around: Numbers | None = field(default=None, repr=False)

    @cached_property
    def search(self) -> BankSearch:
        """The search in the bank."""
        return BankSearch(self.bank)

    def with_neighbours(self) -> MemoryBank:
        """The same with `around`, where it re-weights: every row is compared with every other."""
        k = self.image_score.num_neighbors
        if not k:
            return self
        return MemoryBank(self.bank, self.origin, self.image_score, all_neighbours(self.bank, self._norms, k))

    @cached_property
    def _norms(self) -> Floats:
        norms: Floats = np.einsum("nd,nd->n", self.bank, self.bank)
        return norms

    def score(self, queries: Floats, inside: Mask) -> tuple[float, FloatMap]:
        """The image score of a photo's patches, and the score of each patch (h, w), zero outside.

        Args:
            queries: (h, w, D).
            inside: (h, w) which of them are in the ROI.
        """
        patches = np.zeros(inside.shape, np.float32)
        within = queries[inside]
        patches[inside], index = self.search.nearest(within)
        return self.image_score_of(patches[inside], within, index), patches

    def image_score_of(self, scores: Floats, queries: Floats, index: Numbers) -> float:
        """The image score of patches with scores (P,), queries (P, D) and nearest rows (P,)."""
        score = self.image_score.of(scores)
        k = self.image_score.num_neighbors
        if not k or not len(scores):
            return score
        worst = int(scores.argmax())
        nearest = int(index[worst])
        around = neighbours(nearest, self.bank, self._norms, k) if self.around is None else self.around[nearest]
        return score * weight(queries[worst], nearest, self.bank, around)

    def most_like(self, queries: Floats) -> tuple[FloatMap, Floats]:
        """Distance (h, w) of each query (h, w, D) to the nearest row, and that row's origin (h, w, 3)."""
        distance, row = self.search.nearest(queries.reshape(-1, queries.shape[-1]))
        return distance.reshape(queries.shape[:2]), self.origin[row].reshape(*queries.shape[:2], 3)
