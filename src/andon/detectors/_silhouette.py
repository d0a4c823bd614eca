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

from andon.types import Mask

Values = NDArray[np.float64]

BODY = 0.2  # rows whose width differs by more from the median are a valve, a neck or round ends: no say in the fit
MIN_ROWS, MIN_WIDTH = 24, 8  # px; of a smaller object a pixel of the mask is more than a dent
RAGGED = 2  # rows at either end of the object that its flat ends only partly fill
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
        pixels = _rim(roi)
        if pixels is None:
            return None
        tilt = lean = 0.0
        for _ in range(TURNS):
            tilt -= lean
            u, left, right = _rows(pixels, tilt)
            widths = right - left
            body = np.abs(widths / np.median(widths) - 1) <= BODY
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
        """(2, heights): the deviation at this many heights from top to bottom, each the mean of its rows."""
        resized = cv2.resize(self.deviation.T, (2, heights), interpolation=cv2.INTER_AREA)
        return np.asarray(resized.T, dtype=np.float64)


def to_axis(pixels: Values, tilt: float) -> Values:
    """(..., 2) x, y in the photo -> (..., 2) v, u across and along an axis that is tilted by this many degrees."""
    angle = np.radians(tilt)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(pixels @ turn, dtype=np.float64)


def from_axis(points: Values, tilt: float) -> Values:
    """The way back."""
    return to_axis(points, -tilt)


def _rim(roi: Mask) -> Values | None:
    """(n, 2) x, y of the rim of the largest connected part; None where it is everything or too small."""
    if roi.all():
        return None
    count, labels, stats, _ = cv2.connectedComponentsWithStats(roi.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[largest, cv2.CC_STAT_HEIGHT] < MIN_ROWS or stats[largest, cv2.CC_STAT_WIDTH] < MIN_WIDTH:
        return None
    part = (labels == largest).astype(np.uint8)
    core = cv2.erode(part, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    y, x = np.nonzero(part - core)  # a rim of two pixels holds the ends of every row, however the rows are turned
    return np.stack([x, y], axis=1).astype(np.float64)


def _rows(pixels: Values, tilt: float) -> tuple[Values, Values, Values]:
    """u, and v of the first and last pixel, of every whole row of the object across its axis."""
    v, u = to_axis(pixels, tilt).T
    row = np.round(u - u.min()).astype(np.int64)
    left, right = np.full(row.max() + 1, np.inf), np.full(row.max() + 1, -np.inf)
    np.minimum.at(left, row, v)
    np.maximum.at(right, row, v)
    held = np.flatnonzero(np.isfinite(left))[RAGGED:-RAGGED]
    return held + u.min(), left[held], right[held]


def _line(u: Values, v: Values, body: Mask) -> Values:
    """The line through v of the body's rows, at all u; rows that lie off it by some pixels have no say (Welsch's M)."""
    points = np.stack([u[body], v[body]], axis=1).astype(np.float32)
    along_u, along_v, u0, v0 = cv2.fitLine(points, cv2.DIST_WELSCH, param=0, reps=0.01, aeps=0.001).ravel()
    return np.asarray(v0 + along_v / along_u * (u - u0), dtype=np.float64)
