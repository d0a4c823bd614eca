"""Cropping to the part."""

from __future__ import annotations

from dataclasses import dataclass

from andon.errors import ConfigError
from andon.preprocess import _warp
from andon.preprocess._base import Step
from andon.types import Frame


@dataclass(frozen=True, kw_only=True)
class CropToRoi(Step):
    """Cuts the photo down to the part's bounding box and some room around it.

    Attributes:
        padding: room on each side where the photo has it, as a share of the box's longer side.
    """

    padding: float = 0.10

    def __post_init__(self) -> None:
        if not self.padding >= 0:
            raise ConfigError(f"crop_to_roi.padding is {self.padding}; choose a share from 0, such as 0.1.")

    def __call__(self, frame: Frame) -> Frame:
        if not frame.roi.any():
            return frame.with_note("no part was found: not cropped")
        top, left, bottom, right = _warp.bounding_box(frame.roi)
        margin = round(self.padding * max(bottom - top, right - left))
        height, width = frame.size
        box = max(top - margin, 0), max(left - margin, 0), min(bottom + margin, height), min(right + margin, width)
        return _warp.window(frame, box)


STEP = CropToRoi
