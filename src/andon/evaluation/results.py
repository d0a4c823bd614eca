"""All that a metric sees of a test set."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from andon.evaluation.judged import JudgedPhotos
from andon.evaluation.pixel_curves import PixelCurves
from andon.types import Verdict


@dataclass(frozen=True, kw_only=True, eq=False)
class Results(JudgedPhotos):
    """Labelled photos that one model judged, and the pixels of all of them.

    Attributes:
        threshold: of the scores; NG from there on.
        defects: (n,) kind of defect, None for an OK photo or an unnamed defect.
        pixels: maps against masks by kind of defect, those of the OK photos under None; empty without masks.
    """

    threshold: float
    defects: tuple[str | None, ...]
    pixels: dict[str | None, PixelCurves] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(self.is_anomalous), len(self.scores), len(self.verdicts), len(self.defects)}
        if len(lengths) != 1:
            raise ValueError(f"every array must have one entry per photo, but the lengths are {sorted(lengths)}")

    @property
    def defect_names(self) -> list[str]:
        """The kinds of defect, sorted."""
        return sorted({defect for defect in self.defects if defect is not None})

    def count(self, *, is_anomalous: bool, verdict: Verdict) -> int:
        """How many OK or NG photos got that verdict: one cell of the confusion matrix."""
        return int((self.gets(verdict) & (self.is_anomalous == is_anomalous)).sum())

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
