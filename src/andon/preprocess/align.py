"""Turning the part into one canonical pose."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError
from andon.preprocess import _warp
from andon.preprocess._base import Step
from andon.preprocess._canvas import square_around
from andon.preprocess._likeness import unlikeness
from andon.types import Frame

LOG = logging.getLogger(__name__)

Points = NDArray[np.complex128]
MAX_POINTS = 100_000
MIN_SKEWNESS = 0.02
JUDGED = 48  # OK photos that show whether turning makes them more alike
SIDE = 128  # pixels of the squares that are compared


@dataclass(frozen=True, kw_only=True)
class Align(Step):
    """Turns the part about its centroid until its principal axis lies flat, its slender end to the right.

    The axis is that of the second moments of the part's filled outline; the sign of the third moment along it tells the
    ends apart. A hexagon (symmetry D6) has no principal axis: it is turned within its 60-degree domain until a corner
    points to the right. The frame grows so that it still holds the whole photo. Where turned OK photos are no more
    alike than as they were taken, no photo is turned: the part has no outline to go by, or lies in a jig already.

    Attributes:
        tolerance: an angular moment (0..1, see `_angular_moment`) weaker than this counts as none; 0.1 lets a part have
            a principal axis from 1.1 times as long as wide. A regular hexagon has 0.24 in the sixth, a disc 0.
        aligns: whether photos are turned; None until `fit` settles it.
    """

    tolerance: float = 0.1
    aligns: bool | None = None

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise ConfigError(f"align.tolerance is {self.tolerance}; choose a number between 0 and 1, such as 0.1.")

    def fit(self, frames: Iterable[Frame]) -> Self:
        """Settle whether turning makes the OK photos more alike; what is set stays."""
        if self.aligns is not None:
            return self
        before = [frame for frame in islice(frames, JUDGED) if frame.roi.any() and not frame.roi.all()]
        if len(before) < 2:
            return self
        unturned, turned = (unlikeness([_small(frame) for frame in some]) for some in (before, map(self, before)))
        if turned < unturned:
            return replace(self, aligns=True)
        LOG.warning("Turning the part does not make the OK photos more alike: no photo is turned.")
        return replace(self, aligns=False)

    def __call__(self, frame: Frame) -> Frame:
        if self.aligns is False:
            return frame
        if frame.roi.all() or not frame.roi.any():
            return frame.with_note("no outline was found: not aligned")
        outlines, _ = cv2.findContours(frame.roi.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if len(outlines) > 1:
            return frame.with_note(f"{len(outlines)} separate parts: not aligned")
        outline = cv2.drawContours(np.zeros(frame.size, np.uint8), outlines, 0, 1, cv2.FILLED)
        points, centroid = _centred_points(outline)

        if abs(_angular_moment(points, 2)) >= self.tolerance:
            angle = float(np.angle(_angular_moment(points, 2))) / 2
            skewness = _skewness(points, angle)
            if abs(skewness) < MIN_SKEWNESS:
                frame = frame.with_note("the part's two ends look alike: it may lie turned by 180 degrees")
            return _warp.turn(frame, angle + (np.pi if skewness < 0 else 0.0), centroid)
        if self._is_hexagonal(points):
            return _warp.turn(frame, float(np.angle(_angular_moment(points, 6))) / 6, centroid)
        return frame.with_note("the part is as wide as it is long and not a hexagon: not aligned")

    def _is_hexagonal(self, points: Points) -> bool:
        """Under D6 the moments of every order vanish but those of multiples of six; a disc has not even these."""
        others = max(abs(_angular_moment(points, order)) for order in (2, 3, 4))
        return others < self.tolerance <= abs(_angular_moment(points, 6))


def _small(frame: Frame) -> Frame:
    return _warp.resize(square_around(frame, fill=0.8), (SIDE, SIDE))


def _centred_points(outline: cv2.typing.MatLike) -> tuple[Points, tuple[float, float]]:
    """The outline's pixels as complex numbers x + iy about their centroid, and the centroid (x, y)."""
    rows, columns = np.nonzero(outline)
    points = columns + 1j * rows
    centroid = points.mean()
    return (points - centroid)[:: 1 + len(points) // MAX_POINTS], (float(centroid.real), float(centroid.imag))


def _angular_moment(points: Points, order: int) -> complex:
    """Complex moment sum(z^order) / sum(|z|^order): its size is 0..1, its phase `order` times the shape's direction.

    See Flusser, On the independence of rotation moment invariants, Pattern Recognition 33, 2000.
    """
    moment = (points**order).sum() / max((np.abs(points) ** order).sum(), 1e-9)
    return complex(moment)


def _skewness(points: Points, angle: float) -> float:
    """Third moment along the axis at `angle` (radians), -1..1; positive where the slender end is."""
    along = (points * np.exp(-1j * angle)).real
    return float((along**3).sum() / max((np.abs(along) ** 3).sum(), 1e-9))


STEP = Align
