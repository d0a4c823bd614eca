"""Collects inspections photo by photo; scores and verdicts are kept, maps are counted."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from andon.errors import DatasetError
from andon.evaluation.pixel_curves import PixelCurves
from andon.evaluation.results import Results
from andon.types import FloatMap, Inspection, Mask, Sample, Verdict

UNNAMED = "unnamed"


class Accumulator:
    """Takes one labelled photo after another and gives the `Results` of all.

    It needs some numbers per photo, and 12 MB for each kind of defect that has masks.
    """

    def __init__(self) -> None:
        self._threshold = 0.0
        self._scores: list[float] = []
        self._verdicts: list[Verdict] = []
        self._is_anomalous: list[bool] = []
        self._defects: list[str | None] = []
        self._pixels: defaultdict[str | None, PixelCurves] = defaultdict(PixelCurves)

    def add(self, sample: Sample, inspection: Inspection, mask: Mask | None = None) -> None:
        """Add one photo; its map counts towards the pixel figures if it is an OK photo, or an NG photo with a mask.

        Args:
            mask: (H0, W0) like the inspection's map, True = defect; None where nobody has drawn one.

        Raises:
            DatasetError: the sample has no label, or the mask is of another size than the photo.
        """
        if sample.is_anomalous is None:
            raise DatasetError(f"{sample.path} has no label; put it among the OK or the NG photos to evaluate it.")
        defect = (sample.defect or UNNAMED) if sample.is_anomalous else None
        if inspection.anomaly_map is not None:
            self._add_pixels(sample, defect, inspection.anomaly_map, mask)
        self._threshold = inspection.threshold
        self._scores.append(inspection.score)
        self._verdicts.append(inspection.verdict)
        self._is_anomalous.append(sample.is_anomalous)
        self._defects.append(defect)

    def _add_pixels(self, sample: Sample, defect: str | None, anomaly_map: FloatMap, mask: Mask | None) -> None:
        if defect is None:
            mask = np.zeros(anomaly_map.shape, dtype=bool)
        if mask is None:
            return
        if mask.shape != anomaly_map.shape:
            raise DatasetError(
                f"The mask of {sample.path} is {_size(mask)} pixels but its photo is {_size(anomaly_map)}; "
                "a mask must have its photo's size: export it again."
            )
        self._pixels[defect].update(anomaly_map, mask)

    def results(self) -> Results:
        """What was added so far.

        Raises:
            DatasetError: nothing was added.
        """
        if not self._scores:
            raise DatasetError(
                "No labelled photo was inspected; an evaluation needs test photos that are known as OK or NG."
            )
        return Results(
            is_anomalous=np.array(self._is_anomalous),
            scores=np.array(self._scores, dtype=np.float64),
            verdicts=np.array(self._verdicts),
            threshold=self._threshold,
            defects=tuple(self._defects),
            pixels=dict(self._pixels),
        )


def _size(array: FloatMap | Mask) -> str:
    return f"{array.shape[1]} x {array.shape[0]}"
