"""One inspection as small pictures of one size: photo, anomaly map, regions and, where there is one, ground truth."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.reports.colours import TRUTH
from andon.reports.pictures.boxes import draw_boxes
from andon.reports.pictures.heatmap import overlay, to_grey
from andon.reports.pictures.measurements import draw_measurements
from andon.types import Inspection, Mask, RgbImage

Values = TypeVar("Values", NDArray[np.float32], NDArray[np.uint8])

LONGEST = 3  # times the side of a square view: long photos get longer views of the same area


class View(NamedTuple):
    """A picture, (h, w, 3) uint8 RGB, and its caption."""

    caption: str
    picture: RgbImage


def views_of(
    photo: RgbImage, inspection: Inspection, pixel_threshold: float, mask: Mask | None = None, side: int = 420
) -> list[View]:
    """Pictures of about `side` x `side` pixels; small photos are enlarged by a whole factor.

    Args:
        photo: (H0, W0, 3) uint8 RGB, the photo file's pixels.
        mask: (H0, W0) the ground truth, where there is one.
    """
    small, scale = _reduced(photo, side)
    views = [View("Photo", small)]
    if inspection.anomaly_map is not None:
        anomaly_map = _resize_keeping_peaks(inspection.anomaly_map, small.shape[:2])
        views.append(View("Anomaly map", overlay(small, anomaly_map, pixel_threshold)))
    measured = draw_measurements(small, inspection.lines, scale)
    caption = "Regions, and what was measured" if inspection.lines else "Regions"
    views.append(View(caption, draw_boxes(measured, inspection.regions, inspection.verdict, scale)))
    if mask is not None:
        ground_truth = _resize_keeping_peaks(mask.view(np.uint8), small.shape[:2])
        views.append(View("Ground truth", _draw_mask(small, ground_truth)))
    return views


def photo_view(photo: RgbImage, mask: Mask | None = None, side: int = 420) -> RgbImage:
    """The photo as `views_of` shows it, with the outline of the ground truth where there is one."""
    small, _ = _reduced(photo, side)
    if mask is None:
        return small
    return _outlined(small, _resize_keeping_peaks(mask.view(np.uint8), small.shape[:2]))


def _reduced(photo: RgbImage, side: int) -> tuple[RgbImage, float]:
    """The photo at the size of a view, and how many of its pixels are one of the photo's."""
    height, width = photo.shape[:2]
    scale = min(side / math.sqrt(height * width), LONGEST * side / max(height, width))
    scale = float(math.floor(scale)) if scale >= 1 else scale
    size = max(1, round(width * scale)), max(1, round(height * scale))
    step = max(1, height // (4 * size[1]))  # of a huge photo some rows and columns are enough
    interpolation = cv2.INTER_AREA if size[1] < height else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(photo[::step, ::step], size, interpolation=interpolation), dtype=np.uint8), scale


def _resize_keeping_peaks(values: Values, size: tuple[int, ...]) -> Values:
    """The values at `size` (h, w), the largest of each place: a mean would make a small defect vanish."""
    factor = max(1, math.ceil(values.shape[0] / size[0]))
    spread = cv2.dilate(values, np.ones((factor, factor), dtype=np.uint8))
    return np.asarray(cv2.resize(spread, size[::-1], interpolation=cv2.INTER_NEAREST), dtype=values.dtype)


def _draw_mask(photo: RgbImage, mask: NDArray[np.uint8]) -> RgbImage:
    grey = to_grey(photo)
    half = (grey * 0.45 + np.array(TRUTH) * 0.55).astype(np.uint8)
    return _outlined(np.where(mask[..., None] > 0, half, grey), mask)


def _outlined(picture: RgbImage, mask: NDArray[np.uint8]) -> RgbImage:
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(picture.copy(), outlines, -1, TRUTH, 1), dtype=np.uint8)
