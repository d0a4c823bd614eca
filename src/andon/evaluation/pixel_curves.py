"""Pixel AUROC and AUPRO over any number of photos of any size, in constant memory.

Both need only the ranks of the map's values. The bits of a non-negative float32, read as an integer, rise with its
value; without the lowest 12 they number a histogram bin that is 0.05 % of the value wide. Three histograms are enough:
defect-free pixels, defect pixels, and defect pixels weighted by 1 / (size of their region).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.evaluation.undefined import Undefined
from andon.types import FloatMap, Mask

DROPPED_BITS = 12
N_BINS = int(np.array(np.inf, dtype=np.float32).view(np.uint32) >> DROPPED_BITS)
FINE_PER_COARSE = 8

Curve = NDArray[np.float64]
Histogram = NDArray[np.int64] | Curve


class PixelCurves:
    """Collects anomaly maps with their ground-truth masks; 12 MB, whatever it has seen."""

    def __init__(self) -> None:
        self._ok: Histogram = np.zeros(N_BINS, dtype=np.int64)
        self._defect: Histogram = np.zeros(N_BINS, dtype=np.int64)
        self._per_region: Histogram = np.zeros(N_BINS, dtype=np.float64)
        self._n_regions = 0.0

    def update(self, anomaly_map: FloatMap, mask: Mask) -> None:
        """Add one photo: its map, (H, W), finite and >= 0, and its mask, (H, W), True = defect."""
        if anomaly_map.shape != mask.shape:
            raise ValueError(f"map and mask must have one shape, but got {anomaly_map.shape} and {mask.shape}")
        if not (anomaly_map.min() >= 0 and anomaly_map.max() < np.inf):
            raise ValueError("the map must be finite and nowhere below 0")
        bins = _bins(anomaly_map)
        self._ok += np.bincount(bins.ravel(), minlength=N_BINS)
        if mask.any():
            self._add_defect(bins, mask)

    def _add_defect(self, bins: NDArray[np.uint32], mask: Mask) -> None:
        n_labels, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        region_size = stats[labels[mask], cv2.CC_STAT_AREA]
        defect = np.bincount(bins[mask], minlength=N_BINS)
        self._ok -= defect
        self._defect += defect
        self._per_region += np.bincount(bins[mask], weights=1 / region_size, minlength=N_BINS)
        self._n_regions += n_labels - 1  # label 0 is the background

    @classmethod
    def of(cls, ok: Curve, defect: Curve, per_region: Curve) -> PixelCurves:
        """From histograms (B,) over rising map values: defect-free pixels, defect pixels, and those per region."""
        curves = cls.__new__(cls)
        curves._ok, curves._defect, curves._per_region = ok, defect, per_region
        curves._n_regions = float(per_region.sum())
        return curves

    def coarse(self) -> Curve:
        """(3, B) its histograms, defect-free, defect and per region, with bins that are 0.4 % of the value wide."""
        stacked = np.stack([self._ok, self._defect, self._per_region])
        merged: Curve = stacked.reshape(3, -1, FINE_PER_COARSE).sum(axis=2)
        return merged

    def __add__(self, other: PixelCurves) -> PixelCurves:
        """As if one object had seen the photos of both."""
        total = PixelCurves()
        total._ok = self._ok + other._ok
        total._defect = self._defect + other._defect
        total._per_region = self._per_region + other._per_region
        total._n_regions = self._n_regions + other._n_regions
        return total

    def auroc(self) -> float:
        """Area under the true-positive rate over the false-positive rate, both of pixels, in [0, 1].

        Raises:
            Undefined: there is no defect pixel or no defect-free one.
        """
        fpr = self._false_positive_rate()
        tpr: Curve = _cumulative(self._defect) / self._defect.sum()
        return float(np.trapezoid(tpr, fpr))

    def aupro(self, max_fpr: float = 0.3) -> float:
        """Area under the per-region overlap up to a false-positive rate of `max_fpr`, divided by it, in [0, 1].

        The per-region overlap is the covered share of a defect region, averaged over the regions, so that a small
        defect counts as much as a large one; a region is an 8-connected component of a mask (Bergmann et al., "The
        MVTec Anomaly Detection Dataset", IJCV 2021).

        Raises:
            Undefined: there is no defect pixel or no defect-free one.
        """
        fpr = self._false_positive_rate()
        overlap = _cumulative(self._per_region) / self._n_regions
        inside = fpr < max_fpr
        x = np.append(fpr[inside], max_fpr)
        y = np.append(overlap[inside], np.interp(max_fpr, fpr, overlap))
        return float(np.trapezoid(y, x)) / max_fpr

    def _false_positive_rate(self) -> Curve:
        if not self._n_regions:
            raise Undefined("no photo with a ground-truth mask of its defect")
        n_ok = int(self._ok.sum())
        if not n_ok:
            raise Undefined("every pixel is marked as a defect")
        return _cumulative(self._ok) / n_ok


def _bins(anomaly_map: FloatMap) -> NDArray[np.uint32]:
    positive_zero = anomaly_map.astype(np.float32) + np.float32(0)  # the sign bit of -0.0 would sort it last
    return positive_zero.view(np.uint32) >> np.uint32(DROPPED_BITS)


def _cumulative(histogram: Histogram) -> Curve:
    """Sums from the highest bin down, beginning with 0: what lies above a falling threshold."""
    return np.concatenate([np.zeros(1), np.cumsum(histogram[::-1])])
