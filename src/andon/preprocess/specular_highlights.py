"""Reduction of specular highlights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.types import Frame


@dataclass(frozen=True, kw_only=True)
class SpecularHighlights(Step):
    """Paints small overexposed areas over from their surroundings (Telea, J. Graphics Tools 9(1), 2004).

    Attributes:
        threshold: a pixel is overexposed where all three channels reach this value, 0..255.
        radius: neighbourhood that Telea's method averages over, in pixels.
        max_area: a larger overexposed area, as a share of the photo, is a white background or a white part and stays.
    """

    threshold: int = 240
    radius: float = 3.0
    max_area: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 255:
            raise ConfigError(f"specular_highlights.threshold is {self.threshold}; choose a value from 1 to 255.")
        if not self.radius > 0:
            raise ConfigError(f"specular_highlights.radius is {self.radius}; choose a number of pixels above 0.")
        if not 0 < self.max_area <= 1:
            raise ConfigError(f"specular_highlights.max_area is {self.max_area}; choose a share from above 0 to 1.")

    def __call__(self, frame: Frame) -> Frame:
        overexposed = cv2.inRange(frame.image, (self.threshold,) * 3, (255,) * 3)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(overexposed)
        is_small = stats[:, cv2.CC_STAT_AREA] <= self.max_area * overexposed.size
        is_small[0] = False  # label 0 is everything that is not overexposed
        highlights = is_small[labels].astype(np.uint8)
        # The rim of a highlight is bright as well and would be smeared into the hole.
        highlights = cv2.dilate(highlights, np.ones((3, 3), np.uint8))
        image = cv2.inpaint(frame.image, highlights, self.radius, cv2.INPAINT_TELEA)
        return replace(frame, image=np.asarray(image, dtype=np.uint8))


STEP = SpecularHighlights
