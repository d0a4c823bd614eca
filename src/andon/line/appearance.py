"""How a photo looks as a whole, in a few numbers that cost less than a millisecond: size, light, sharpness, layout.

They say nothing of defects. From those of the OK photos the guard (`line/guard.py`) learns what a photo of the part is.
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
XYZ_OVER_WHITE = np.array(
    [
        [0.4124564 / 0.95047, 0.2126729, 0.0193339 / 1.08883],
        [0.3575761 / 0.95047, 0.7151522, 0.1191920 / 1.08883],
        [0.1804375 / 0.95047, 0.0721750, 0.9503041 / 1.08883],
    ]
)  # rows: R, G, B; columns: X, Y, Z of sRGB, each divided by the white point of D65
BRIGHT, DARK = 250, 5  # grey values from which on, and up to which, nothing can be seen any more
SHARPEST = 0.005  # of the pixels: those on the sharpest edges
LEAST_EDGE = 0.1  # grey values per pixel: what lies below it is no edge


class Feature(NamedTuple):
    """One number of a photo, and how to speak of it.

    Attributes:
        meaning: what it is.
        low, high: what a photo is or does that has much less, or much more, of it than OK photos; None where that
            means nothing.
        floor: OK photos that differ less than this are taken to differ so much: no camera and no lamp is steadier.
        shown: a format for its value.
        is_log: the value is a base-2 logarithm of what is shown.
        by_camera: no defect of a part changes it.
        most: it lies in [0, `most`]; None where it has no such range.
    """

    meaning: str
    low: str | None
    high: str | None
    floor: float
    shown: str = "{:.0f}"
    is_log: bool = False
    by_camera: bool = False
    most: float | None = None

    def show(self, value: float) -> str:
        """The value for people, within its range."""
        shown = 2**value if self.is_log else value
        return self.shown.format(shown if self.most is None else min(max(shown, 0.0), self.most))


FEATURES: Mapping[str, Feature] = {
    "size": Feature("square root of its pixels", "is smaller", "is larger", 0.15, is_log=True, by_camera=True),
    "shape": Feature("width / height", "is narrower", "is wider", 0.03, "{:.2f}", is_log=True, by_camera=True),
    "brightness": Feature("mean grey value", "is darker", "is brighter", 5.0, most=255.0),
    "contrast": Feature("deviation of the grey values", "has less contrast", "has more contrast", 0.1, is_log=True),
    "overexposed": Feature("share of white pixels", "has less white", "is over-exposed", 0.02, "{:.0%}", most=1.0),
    "underexposed": Feature("share of black pixels", "has less black", "is under-exposed", 0.02, "{:.0%}", most=1.0),
    "redness": Feature("mean a* of CIE L*a*b*", "is greener", "is redder", 2.0, "{:.0f}"),
    "yellowness": Feature("mean b* of CIE L*a*b*", "is bluer", "is yellower", 2.0, "{:.0f}"),
    "edges": Feature("mean slope of the grey values", "has fewer edges", "has more edges", 0.12, "{:.1f}", is_log=True),
    "sharpness": Feature("sharpest edges / contrast", "is blurred", None, 0.08, "{:.2f}", is_log=True, by_camera=True),
    "direction": Feature("upright edges / level edges", "seems turned", "seems turned", 0.08, "{:.2f}", is_log=True),
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
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    half = _halved(grey)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    across, down = _slope(half, 1, 0), _slope(half, 0, 1)
    layout = _resized(_halved(_halved(small)), LAYOUT_SIDE, LAYOUT_SIDE)
    redness, yellowness = _chroma(layout)
    values = {
        "size": math.log2(height * width) / 2,
        "shape": math.log2(width / height),
        "brightness": mean,
        "contrast": math.log2(deviation + 1),
        "overexposed": np.count_nonzero(grey >= BRIGHT) / grey.size,
        "underexposed": np.count_nonzero(grey <= DARK) / grey.size,
        "redness": redness,
        "yellowness": yellowness,
        "edges": math.log2(across + down + LEAST_EDGE),
        "sharpness": math.log2((_detail(grey) + 1) / (deviation + 1)),
        "direction": math.log2((across + LEAST_EDGE) / (down + LEAST_EDGE)),
    }
    return Appearance(np.array([values[name] for name in FEATURES]), layout)


def _reduced(image: RgbImage) -> RgbImage:
    """At most `WORKING_SIDE` pixels on the longer side."""
    height, width = image.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    if scale >= 1:
        return image
    return _resized(image, max(1, round(height * scale)), max(1, round(width * scale)))


def _halved(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return _resized(image, max(1, image.shape[0] // 2), max(1, image.shape[1] // 2))


def _resized(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _chroma(image: RgbImage) -> tuple[float, float]:
    """The mean a* and b* of CIE L*a*b* under D65. OpenCV would first fill tables, which takes 80 ms."""
    x = image.astype(np.float64) / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    ratio = linear @ XYZ_OVER_WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    fx, fy, fz = f.mean(axis=(0, 1))
    return 500 * float(fx - fy), 200 * float(fy - fz)


def _slope(grey: NDArray[np.uint8], dx: int, dy: int) -> float:
    """Mean absolute derivative, in grey values per pixel."""
    slopes = cv2.Sobel(grey, cv2.CV_16S, dx, dy, ksize=3)
    return cv2.norm(slopes, cv2.NORM_L1) / (8 * slopes.size)


def _detail(grey: NDArray[np.uint8]) -> float:
    """The Laplacian, in grey values, that only the `SHARPEST` share of the pixels exceeds: the sharpest edges.

    A defect changes the number of edges, but only a camera makes the sharpest of them soft.
    """
    curved = cv2.convertScaleAbs(cv2.Laplacian(grey, cv2.CV_16S, ksize=1))
    counts = cv2.calcHist([curved], [0], None, [256], [0, 256]).ravel()
    above = grey.size - np.cumsum(counts)
    return float(np.argmax(above <= SHARPEST * grey.size))


def layout_distances(layouts: NDArray[np.uint8], others: NDArray[np.uint8]) -> FloatMap:
    """(n, m) root mean square difference of each of n layouts to each of m, in grey values."""
    a, b = (each.reshape(len(each), -1).astype(np.float32) for each in (layouts, others))
    squared = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squared, 0) / a.shape[1]), dtype=np.float32)
