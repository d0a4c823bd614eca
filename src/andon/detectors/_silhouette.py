"""The outline of a standing cylinder: its axis, its two edges, and how far the object leaves them.

The rows of an object are taken across its axis, so that the flat ends of a tilted object do not count as dents.
Coordinates are u along the axis, downwards, and v across it, to the right; both in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from andon.types import Mask

Values = NDArray[np.float64]

WIDE = 90  # percentile of the rows' widths that counts as the object's width
BODY_SHARE = 0.8  # of that width: narrower rows are a valve, a neck or rounded ends and have no say in the fit
FITTED_ROWS = 200
MIN_ROWS, MIN_WIDTH = 24, 8  # px; of a smaller object a pixel of the mask is more than a dent
TURNS = 3  # towards the axis, each from the edges that the one before has left


@dataclass(frozen=True)
class Silhouette:
    """One object against the cylinder of its edges.

    Attributes:
        tilt: degrees from the vertical; positive where the top leans to the right.
        u: (n,) the rows, from the object's top to its bottom.
        left, right: (n,) v of the object's outermost pixel centres in these rows.
        left_edge, right_edge: (n,) v of the fitted edges.
    """

    tilt: float
    u: Values
    left: Values
    right: Values
    left_edge: Values
    right_edge: Values

    @classmethod
    def of(cls, roi: Mask) -> Self | None:
        """The silhouette of the largest object in `roi` (H, W), which stands within 45 degrees of the vertical.

        None where the ROI is everything, or holds no object that is large enough to be measured.
        """
        pixels = _largest_object(roi)
        if pixels is None:
            return None
        tilt = lean = 0.0
        for _ in range(TURNS):
            tilt -= lean
            u, left, right = _rows(pixels, tilt)
            widths = right - left
            body = widths >= BODY_SHARE * np.percentile(widths, WIDE)
            left_edge, right_edge = _line(u, left, body), _line(u, right, body)
            centre = (left_edge + right_edge) / 2
            lean = float(np.degrees(np.arctan2(centre[-1] - centre[0], u[-1] - u[0])))
        return cls(tilt, u, left, right, left_edge, right_edge)

    @property
    def width(self) -> float:
        """The distance of the fitted edges at half height, in pixels."""
        return float(np.median(self.right_edge - self.left_edge))

    @property
    def deviation(self) -> Values:
        """(2, n): how far the left and the right side stay inside the edge, as a share of the width; bulges are < 0."""
        return np.stack([self.left - self.left_edge, self.right_edge - self.right]) / self.width

    def profile(self, heights: int) -> Values:
        """(2, heights): the deviation at so many heights from top to bottom, each the mean of its rows."""
        columns = self.deviation.T.astype(np.float32)
        resized = cv2.resize(columns, (2, heights), interpolation=cv2.INTER_AREA)
        return np.asarray(resized, dtype=np.float64).T


def to_axis(pixels: Values, tilt: float) -> Values:
    """(..., 2) x, y in the photo -> (..., 2) v, u across and along an axis that is tilted by so many degrees."""
    angle = np.radians(tilt)
    return pixels @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def from_axis(points: Values, tilt: float) -> Values:
    """The way back."""
    return to_axis(points, -tilt)


def _largest_object(roi: Mask) -> Values | None:
    """(n, 2) x, y of the pixels of the largest connected part; None where it is everything or too small."""
    if roi.all():
        return None
    count, labels, stats, _ = cv2.connectedComponentsWithStats(roi.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[largest, cv2.CC_STAT_HEIGHT] < MIN_ROWS or stats[largest, cv2.CC_STAT_WIDTH] < MIN_WIDTH:
        return None
    y, x = np.nonzero(labels == largest)
    return np.stack([x, y], axis=1).astype(np.float64)


def _rows(pixels: Values, tilt: float) -> tuple[Values, Values, Values]:
    """u, and v of the first and last pixel, of every row across the axis that holds pixels of the object."""
    v, u = to_axis(pixels, tilt).T
    row = np.round(u - u.min()).astype(np.int64)
    left, right = np.full(row.max() + 1, np.inf), np.full(row.max() + 1, -np.inf)
    np.minimum.at(left, row, v)
    np.maximum.at(right, row, v)
    held = np.flatnonzero(np.isfinite(left))
    return held + u.min(), left[held], right[held]


def _line(u: Values, v: Values, body: Mask) -> Values:
    """The line through v of the body's rows, at all u: Theil-Sen, which a dent of a quarter of the rows cannot bend."""
    some = np.flatnonzero(body)[:: 1 + int(body.sum()) // FITTED_ROWS]
    slope, intercept, *_ = theilslopes(v[some], u[some])
    return np.asarray(intercept + slope * u, dtype=np.float64)
