"""Unsharp masking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.types import Frame

MAX_SIGMA = 100


@dataclass(frozen=True, kw_only=True)
class UnsharpMask(Step):
    """Sharpens: adds to the image what a Gaussian blur takes from it.

    Attributes:
        amount: how much of it is added.
        sigma: of the Gaussian, in pixels of the image as the steps before leave it.
    """

    enhances: ClassVar[bool] = True

    amount: float = 1.0
    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not self.amount > 0:
            raise ConfigError(f"unsharp_mask.amount is {self.amount}; choose a number above 0, such as 1.")
        if not 0 < self.sigma <= MAX_SIGMA:
            raise ConfigError(f"unsharp_mask.sigma is {self.sigma}; it must be above 0 and at most {MAX_SIGMA}.")

    def __call__(self, frame: Frame) -> Frame:
        blurred = cv2.GaussianBlur(frame.image, (0, 0), self.sigma)
        sharpened = cv2.addWeighted(frame.image, 1 + self.amount, blurred, -self.amount, 0)
        return replace(frame, image=np.asarray(sharpened, dtype=np.uint8))


STEP = UnsharpMask
