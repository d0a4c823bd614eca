"""The anomaly map laid over its photo.

One scale serves all photos of a model: 0 at one end, the threshold in the middle, twice the threshold at the other end.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.reports.colours import PAPER
from andon.types import FloatMap, RgbImage

SCALE_END = 2.0
VISIBLE_FROM = 0.6
MAX_OPACITY = 0.75
COLOURS: NDArray[np.uint8] = np.asarray(
    cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_PLASMA), dtype=np.uint8
).reshape(256, 3)[:, ::-1]


def overlay(photo: RgbImage, anomaly_map: FloatMap, threshold: float) -> RgbImage:
    """The photo in grey, with the map's colours where it comes near `threshold` and an outline where it reaches it.

    The scale depends on the threshold alone, so that photos can be compared and a good part looks calm.

    Args:
        photo: (H, W, 3) uint8 RGB.
        anomaly_map: (H, W) float32.
        threshold: the pixel threshold, > 0.
    """
    grey = to_grey(photo)
    heat = _paint(grey, anomaly_map / np.float32(max(threshold, 1e-30)))
    outlines, _ = cv2.findContours((anomaly_map >= threshold).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(heat, outlines, -1, PAPER, 1), dtype=np.uint8)


def to_grey(photo: RgbImage) -> RgbImage:
    """The photo in middling greys, (H, W, 3): colours laid over it read alike on dark and bright parts."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor((grey * 0.65 + 60).astype(np.uint8), cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def colour_bar(size: tuple[int, int]) -> RgbImage:
    """The scale from 0 (left) over the threshold (middle) to twice the threshold (right), as it looks on mid-grey."""
    height, width = size
    ramp = np.linspace(0, SCALE_END, width, dtype=np.float32)
    return _paint(np.full((height, width, 3), 160, dtype=np.uint8), np.tile(ramp, (height, 1)))


def _paint(grey: RgbImage, relative: FloatMap) -> RgbImage:
    """Blend the colours of `relative` = map / threshold into `grey`."""
    colour = COLOURS[(np.clip(relative / SCALE_END, 0, 1) * 255).astype(np.uint8)].astype(np.float32)
    opacity = MAX_OPACITY * np.clip((relative - VISIBLE_FROM) / (1 - VISIBLE_FROM), 0, 1)[..., None]
    blended: RgbImage = (grey + (colour - grey) * opacity).astype(np.uint8)
    return blended
