"""The moves that steps share: each takes image, ROI and `to_original` along together.

Every matrix here is (3, 3) float64 and takes homogeneous (x, y, 1) pixel centres of the new frame to those of the old
one; the centre of the top left pixel is (0, 0). What comes in from beyond the photo repeats its edge and is not ROI.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.types import Frame, Mask

Bounds = tuple[int, int, int, int]
"""Half-open (top, left, bottom, right) in pixels; the boxes of regions are (x0, y0, x1, y1)."""


def bounding_box(roi: Mask) -> Bounds:
    """Half-open (top, left, bottom, right) of the True pixels; of the whole array where there is none."""
    if not roi.any():
        return 0, 0, roi.shape[0], roi.shape[1]
    rows, columns = np.flatnonzero(roi.any(axis=1)), np.flatnonzero(roi.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def window(frame: Frame, box: Bounds) -> Frame:
    """The part of the frame in half-open (top, left, bottom, right), which may reach beyond the photo."""
    top, left, bottom, right = box
    height, width = frame.size
    inside = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    margins = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    image = cv2.copyMakeBorder(frame.image[inside], *margins, cv2.BORDER_REPLICATE)
    roi = cv2.copyMakeBorder(frame.roi[inside].astype(np.uint8), *margins, cv2.BORDER_CONSTANT, value=0)
    return _moved(frame, image, roi, np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], dtype=np.float64))


def resize(frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame at (height, width); the two scales may differ."""
    height, width = size
    scale_y, scale_x = height / frame.size[0], width / frame.size[1]
    interpolation = cv2.INTER_AREA if min(scale_y, scale_x) < 1 else cv2.INTER_LINEAR
    image = cv2.resize(frame.image, (width, height), interpolation=interpolation)
    roi = cv2.resize(frame.roi.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    to_old = [[1 / scale_x, 0, 0.5 / scale_x - 0.5], [0, 1 / scale_y, 0.5 / scale_y - 0.5], [0, 0, 1]]
    return _moved(frame, image, roi, np.array(to_old, dtype=np.float64))


def turn(frame: Frame, angle: float, centre: tuple[float, float]) -> Frame:
    """The frame turned about `centre` (x, y), which becomes the middle of a frame that still holds the whole photo.

    The direction at `angle` radians from the x axis towards the y axis (clockwise as seen) comes to point to the right.
    """
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    bottom, right = frame.size[0] - 1, frame.size[1] - 1
    corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], dtype=np.float64)
    half_width, half_height = np.ceil(np.abs((corners - centre) @ rotation).max(axis=0)).astype(int)
    size = 2 * int(half_height) + 1, 2 * int(half_width) + 1

    to_old = np.eye(3)
    to_old[:2, :2] = rotation
    to_old[:2, 2] = np.array(centre) - rotation @ (half_width, half_height)
    image = _sample(frame.image, to_old, size, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    roi = _sample(frame.roi.astype(np.uint8), to_old, size, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT)
    return _moved(frame, image, roi, to_old)


def _sample(
    array: NDArray[np.uint8], to_old: NDArray[np.float64], size: tuple[int, int], interpolation: int, border: int
) -> NDArray[np.uint8]:
    flags = interpolation | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(array, to_old[:2], (size[1], size[0]), flags=flags, borderMode=border)
    return np.asarray(sampled, dtype=np.uint8)


def _moved(frame: Frame, image: cv2.typing.MatLike, roi: cv2.typing.MatLike, to_old: NDArray[np.float64]) -> Frame:
    return replace(
        frame,
        image=np.asarray(image, dtype=np.uint8),
        roi=np.asarray(roi, dtype=np.bool_),
        to_original=frame.to_original @ to_old,
    )
