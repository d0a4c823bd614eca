"""Gray-world white balance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.types import Frame


@dataclass(frozen=True, kw_only=True)
class WhiteBalance(Step):
    """Scales the colour channels so that the ROI is grey on average (gray-world; Buchsbaum 1980).

    Attributes:
        max_gain: no channel is scaled by more than this, nor by less than its inverse. Gray-world takes the colour from
            a photo that is mostly rust; a limit near 1.3 leaves rust orange and still evens out common lamps.
    """

    max_gain: float = 2.0

    def __post_init__(self) -> None:
        if not self.max_gain > 1:
            raise ConfigError(f"white_balance.max_gain is {self.max_gain}; choose a number above 1, such as 2.")

    def __call__(self, frame: Frame) -> Frame:
        means = np.array(cv2.mean(frame.image, frame.roi.astype(np.uint8))[:3])
        if means.min() < 1:
            return frame.with_note("a colour channel is black: not white-balanced")
        gains = means.mean() / means
        limited = np.clip(gains, 1 / self.max_gain, self.max_gain)
        table = np.clip(np.arange(256)[:, None] * limited + 0.5, 0, 255).astype(np.uint8)
        balanced = replace(frame, image=np.asarray(cv2.LUT(frame.image, table[None]), dtype=np.uint8))
        if np.allclose(gains, limited):
            return balanced
        return balanced.with_note(f"strong colour cast: white balance stopped at a gain of {self.max_gain:g}")


STEP = WhiteBalance
