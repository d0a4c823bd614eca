"""Gamma correction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.types import Frame


@dataclass(frozen=True, kw_only=True)
class Gamma(Step):
    """Raises each colour value, as a share of white, to the power `gamma`; black and white stay.

    Attributes:
        gamma: below 1 opens the shadows, above 1 opens the lights.
    """

    enhances: ClassVar[bool] = True

    gamma: float = 0.8

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ConfigError(f"gamma.gamma is {self.gamma}; choose a number above 0, such as 0.8.")

    def __call__(self, frame: Frame) -> Frame:
        table = (255 * np.linspace(0, 1, 256) ** self.gamma).round().astype(np.uint8)
        return replace(frame, image=np.asarray(cv2.LUT(frame.image, table), dtype=np.uint8))


STEP = Gamma
