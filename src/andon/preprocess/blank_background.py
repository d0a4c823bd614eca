"""Blanking of what is not the part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from andon.preprocess._base import Step
from andon.types import Frame


@dataclass(frozen=True, kw_only=True)
class BlankBackground(Step):
    """Makes everything outside the ROI black."""

    def __call__(self, frame: Frame) -> Frame:
        if not frame.roi.any():
            return frame.with_note("no part was found: the background was not blanked")
        return replace(frame, image=np.where(frame.roi[:, :, None], frame.image, np.uint8(0)))


STEP = BlankBackground
