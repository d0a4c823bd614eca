"""What is known and what was said of the photos of a test set: all that a metric sees."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.pixel_curves import PixelCurves
from andon.evaluation.undefined import Undefined
from andon.types import Verdict


@dataclass(frozen=True, kw_only=True)
class Results:
    """One entry per photo, and the pixels of all of them.

    A verdict of "review" sets a photo aside for a person: it is neither a rejected OK photo nor an escaped NG one,
    but it is not a right verdict either.

    Attributes:
        is_anomalous: (n,) bool, the truth.
        scores: (n,) float64.
        verdicts: (n,) of "OK", "review", "NG".
        threshold: of the scores; NG from there on.
        defects: (n,) kind of defect, None for an OK photo or an unnamed defect.
        pixels: maps against masks by kind of defect, those of the OK photos under None; empty without masks.
    """

    is_anomalous: NDArray[np.bool_]
    scores: NDArray[np.float64]
    verdicts: NDArray[np.str_]
    threshold: float
    defects: tuple[str | None, ...]
    pixels: dict[str | None, PixelCurves] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(self.is_anomalous), len(self.scores), len(self.verdicts), len(self.defects)}
        if len(lengths) != 1:
            raise ValueError(f"every array must have one entry per photo, but the lengths are {sorted(lengths)}")

    @property
    def n_ok(self) -> int:
        """Number of OK photos."""
        return int((~self.is_anomalous).sum())

    @property
    def n_ng(self) -> int:
        """Number of NG photos."""
        return int(self.is_anomalous.sum())

    @property
    def defect_names(self) -> list[str]:
        """The kinds of defect, sorted."""
        return sorted({defect for defect in self.defects if defect is not None})

    def count(self, *, is_anomalous: bool, verdict: Verdict) -> int:
        """How many OK or NG photos got that verdict: one cell of the confusion matrix."""
        return int(((self.is_anomalous == is_anomalous) & (self.verdicts == verdict)).sum())

    def against_ok(self, defect: str) -> Results:
        """The photos with that defect and all OK photos."""
        kept = ~self.is_anomalous | (np.array(self.defects, dtype=object) == defect)
        return replace(
            self,
            is_anomalous=self.is_anomalous[kept],
            scores=self.scores[kept],
            verdicts=self.verdicts[kept],
            defects=tuple(np.array(self.defects, dtype=object)[kept]),
            pixels={name: curves for name, curves in self.pixels.items() if name in (None, defect)},
        )

    def require_ok(self) -> None:
        """Raises Undefined where there is no OK photo."""
        if not self.n_ok:
            raise Undefined("the test set has no OK photo")

    def require_ng(self) -> None:
        """Raises Undefined where there is no NG photo."""
        if not self.n_ng:
            raise Undefined("the test set has no NG photo")

    def require_both(self) -> None:
        """Raises Undefined where there is no OK or no NG photo."""
        self.require_ok()
        self.require_ng()
