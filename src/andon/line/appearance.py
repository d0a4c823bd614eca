"""How a photo looks as a whole, in a few numbers that cost less than a millisecond: size, light, sharpness, layout.

They say nothing of defects. The guard (`line/guard.py`) learns from them what photos of the part look like.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.types import FloatMap, RgbImage

WORKING_SIDE = 512
"""Pixels of the longer side that light, edges and sharpness are measured at; a smaller photo is left as it is."""
LAYOUT_SIDE = 12
"""The layout is a picture of so many cells a side, whatever the photo's shape."""
BRIGHT, DARK = 250, 5  # grey values from which on, and up to which, nothing can be seen any more
LEAST_EDGE = 0.1  # grey values per pixel: what lies below it is no edge


class Feature(NamedTuple):
    """One number of a photo, and how to speak of it.

    Attributes:
        meaning: what it is, with its unit.
        low, high: what is said of a photo that has much less or much more of it than OK photos have.
        floor: a spread of OK photos below this is taken for it, as cameras and light are never steadier.
        shown: a format for its value.
        is_log: the value is a base-2 logarithm of what is shown.
    """

    meaning: str
    low: str
    high: str
    floor: float
    shown: str = "{:.0f}"
    is_log: bool = False

    def show(self, value: float) -> str:
        """The value for people."""
        return self.shown.format(2**value if self.is_log else value)


FEATURES: Mapping[str, Feature] = {
    "size": Feature("size, the root of its pixels", "smaller", "larger", 0.15, "{:.0f} px", is_log=True),
    "shape": Feature("width / height", "narrower", "wider", 0.03, "{:.2f}", is_log=True),
    "brightness": Feature("mean grey value of 0 to 255", "darker", "brighter", 4.0),
    "contrast": Feature("standard deviation of the grey values", "flatter", "richer in contrast", 0.10, is_log=True),
    "overexposed": Feature("share of pixels that are white", "less over-exposed", "over-exposed", 0.02, "{:.0%}"),
    "underexposed": Feature("share of pixels that are black", "less under-exposed", "under-exposed", 0.02, "{:.0%}"),
    "redness": Feature("mean a* of CIE L*a*b*", "greener", "redder", 1.5, "{:.1f}"),
    "yellowness": Feature("mean b* of CIE L*a*b*", "bluer", "yellower", 1.5, "{:.1f}"),
    "edges": Feature(
        "mean slope of the grey values per pixel", "emptier", "fuller of edges", 0.12, "{:.1f}", is_log=True
    ),
    "sharpness": Feature("fine detail / coarse detail", "blurred", "noisier or sharper", 0.08, "{:.2f}", is_log=True),
    "direction": Feature(
        "edges from left to right / from top to bottom", "turned", "turned", 0.08, "{:.2f}", is_log=True
    ),
}
"""By name, in the order of `Appearance.values`."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """Attributes:
    values: (len(FEATURES),) float64, in the order and units of `FEATURES`.
    layout: (LAYOUT_SIDE, LAYOUT_SIDE, 3) uint8 RGB, the photo's light and colour where they are.
    """

    values: NDArray[np.float64]
    layout: RgbImage = field(repr=False)

    def __getitem__(self, name: str) -> float:
        """The value of one feature."""
        return float(self.values[list(FEATURES).index(name)])


def appearance_of(image: RgbImage) -> Appearance:
    """The appearance of a photo as it was read, before any preprocessing.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    height, width = image.shape[:2]
    small = _reduced(image)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) if min(grey.shape) > 1 else grey
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    across, down = _slope(half, 1, 0), _slope(half, 0, 1)
    layout = cv2.resize(small, (LAYOUT_SIDE, LAYOUT_SIDE), interpolation=cv2.INTER_AREA)
    colour = cv2.cvtColor(layout.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).mean(axis=(0, 1))
    values = {
        "size": math.log2(height * width) / 2,
        "shape": math.log2(width / height),
        "brightness": mean,
        "contrast": math.log2(deviation + 1),
        "overexposed": np.count_nonzero(grey >= BRIGHT) / grey.size,
        "underexposed": np.count_nonzero(grey <= DARK) / grey.size,
        "redness": float(colour[1]),
        "yellowness": float(colour[2]),
        "edges": math.log2(across + down + LEAST_EDGE),
        "sharpness": math.log2((_detail(grey) + LEAST_EDGE) / (_detail(half) + LEAST_EDGE)),
        "direction": math.log2((across + LEAST_EDGE) / (down + LEAST_EDGE)),
    }
    return Appearance(np.array([values[name] for name in FEATURES]), layout)


def _reduced(image: RgbImage) -> RgbImage:
    """At most `WORKING_SIDE` pixels on the longer side."""
    height, width = image.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _slope(grey: NDArray[np.uint8], dx: int, dy: int) -> float:
    """Mean absolute derivative, in grey values per pixel."""
    slopes = cv2.Sobel(grey, cv2.CV_16S, dx, dy, ksize=3)
    return cv2.norm(slopes, cv2.NORM_L1) / (8 * slopes.size)


def _detail(grey: NDArray[np.uint8]) -> float:
    """Mean absolute Laplacian, in grey values."""
    curved = cv2.Laplacian(grey, cv2.CV_16S, ksize=1)
    return cv2.norm(curved, cv2.NORM_L1) / curved.size


def layout_distance(layout: RgbImage, others: NDArray[np.uint8]) -> FloatMap:
    """(n,) root mean square difference of a layout to each of (n, side, side, 3), in grey values."""
    difference = others.reshape(len(others), -1).astype(np.float32) - layout.reshape(1, -1).astype(np.float32)
    return np.asarray(np.sqrt(np.square(difference).mean(axis=1)), dtype=np.float32)
