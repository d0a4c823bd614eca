"""Contrast-limited adaptive histogram equalisation of the lightness."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.types import Frame


@dataclass(frozen=True, kw_only=True)
class Clahe(Step):
    """Evens out the light on L of L*a*b*; hue and chroma (a*, b*) stay.

    Attributes:
        clip_limit: 1 is subtle, 4 aggressive.
        tiles: the photo is equalised in tiles x tiles fields.
    """

    enhances: ClassVar[bool] = True

    clip_limit: float = 2.0
    tiles: int = 8

    def __post_init__(self) -> None:
        if not self.clip_limit > 0:
            raise ConfigError(f"clahe.clip_limit is {self.clip_limit}; choose a number above 0, such as 2.")
        if self.tiles < 1:
            raise ConfigError(f"clahe.tiles is {self.tiles}; choose a whole number from 1, such as 8.")

    def __call__(self, frame: Frame) -> Frame:
        lab = cv2.cvtColor(frame.image, cv2.COLOR_RGB2LAB)
        equaliser = cv2.createCLAHE(clipLimit=self.clip_limit, tileGridSize=(self.tiles, self.tiles))
        lab[:, :, 0] = equaliser.apply(lab[:, :, 0])
        return replace(frame, image=np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), dtype=np.uint8))


STEP = Clahe
