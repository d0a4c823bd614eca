"""Labelled photos and the verdicts they were given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.undefined import Undefined
from andon.types import Verdict


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedPhotos:
    """One entry per photo.

    "review" sets a photo aside for a person, and "invalid" says that it is unlike the photos of OK parts: neither is a
    false reject or an escape, and neither is a right verdict.

    Attributes:
        is_anomalous: (n,) bool, the ground truth.
        scores: (n,) float64.
        verdicts: (n,) of "OK", "review", "NG", "invalid".
    """

    is_anomalous: NDArray[np.bool_]
    scores: NDArray[np.float64]
    verdicts: NDArray[np.str_]

    @property
    def n_ok(self) -> int:
        """Number of OK photos."""
        return int((~self.is_anomalous).sum())

    @property
    def n_ng(self) -> int:
        """Number of NG photos."""
        return int(self.is_anomalous.sum())

    def gets(self, verdict: Verdict) -> NDArray[np.bool_]:
        """(n,) which photos got that verdict."""
        given: NDArray[np.bool_] = self.verdicts == verdict
        return given

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
