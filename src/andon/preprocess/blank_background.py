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
    """Makes everything outside the ROI black.

    A mask's outline is never the same in two photos, and black makes an edge of it. A margin puts that edge on the even
    background; a rim takes it out of what is judged.

    Attributes:
        margin: background around the ROI that is added to it, as a share of the photo's shorter side.
        rim: taken from the ROI along its new outline, and not blanked; likewise.
    """

    margin: float = 0.0
    rim: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("margin", self.margin), ("rim", self.rim)):
            if not 0 <= value <= 1:
                raise ConfigError(f"blank_background.{name} is {value}; choose a share from 0 to 1, such as 0.05.")

    def __call__(self, frame: Frame) -> Frame:
        if not frame.roi.any():
            return frame.with_note("no part was found: the background was not blanked")
        if frame.roi.all():
            return frame
        kept = _grown(frame.roi, self.margin * min(frame.size))
        inner = ~_grown(~kept, self.rim * min(frame.size))
        roi = inner if inner.any() else frame.roi
        return replace(frame, image=np.where(kept[:, :, None], frame.image, np.uint8(0)), roi=roi)


def _grown(mask: Mask, pixels: float) -> Mask:
    """The mask and what lies within so many pixels of it."""
    if pixels < 1:
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distance <= pixels, dtype=np.bool_)


STEP = BlankBackground
