"""Blanking of what is not the part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.types import Frame, Mask


@dataclass(frozen=True, kw_only=True)
class BlankBackground(Step):
    """Makes everything outside the ROI black; detectors do not look there either.

    A mask's outline is never the same in two photos, and black makes an edge of it. The convex hull with a margin
    around it has a smooth edge that lies on the background, away from the part. What is kept is the new ROI.

    Attributes:
        convex: keep the convex hull of the ROI, not the ROI alone.
        margin: background around it that is kept too, as a share of the photo's shorter side.
    """

    convex: bool = False
    margin: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= 1:
            raise ConfigError(f"blank_background.margin is {self.margin}; choose a share from 0 to 1, such as 0.03.")

    def __call__(self, frame: Frame) -> Frame:
        if not frame.roi.any():
            return frame.with_note("no part was found: the background was not blanked")
        if frame.roi.all():
            return frame
        roi = _grown(_hull(frame.roi) if self.convex else frame.roi, self.margin * min(frame.size))
        return replace(frame, image=np.where(roi[:, :, None], frame.image, np.uint8(0)), roi=roi)


def _hull(mask: Mask) -> Mask:
    """The convex hull of all True pixels."""
    points = cv2.findNonZero(mask.astype(np.uint8))
    hull = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), cv2.convexHull(points), 1)
    return np.asarray(hull > 0, dtype=np.bool_)


def _grown(mask: Mask, pixels: float) -> Mask:
    """The mask and what lies within so many pixels of it."""
    if pixels < 1:
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distance <= pixels, dtype=np.bool_)


STEP = BlankBackground
