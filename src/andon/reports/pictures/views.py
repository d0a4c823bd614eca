"""One inspection as small pictures of one size: photo, deviation, regions and, where known, the true defect."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.reports.colours import TRUTH
from andon.reports.pictures.boxes import draw_boxes
from andon.reports.pictures.heatmap import overlay, to_grey
from andon.reports.pictures.measurements import draw_lines
from andon.types import Inspection, Mask, RgbImage

Values = TypeVar("Values", NDArray[np.float32], NDArray[np.uint8])

LONGEST = 3  # times the side of a square tile: long photos get longer tiles of the same area


class Tile(NamedTuple):
    """A picture, (h, w, 3) uint8 RGB, and its caption."""

    caption: str
    picture: RgbImage


def make_tiles(
    photo: RgbImage, inspection: Inspection, pixel_threshold: float, mask: Mask | None = None, side: int = 420
) -> list[Tile]:
    """Pictures of about `side` x `side` pixels; small photos are enlarged by a whole factor.

    Args:
        photo: (H0, W0, 3) uint8 RGB, the photo file's pixels.
        mask: (H0, W0) the true defect, where it is known.
    """
    scale = _scale(photo, side)
    size = (max(1, round(photo.shape[0] * scale)), max(1, round(photo.shape[1] * scale)))
    small = _resize(photo, size)
    tiles = [Tile("Photo", small)]
    if inspection.anomaly_map is not None:
        tiles.append(
            Tile("Deviation", overlay(small, _resize_keeping_peaks(inspection.anomaly_map, size), pixel_threshold))
        )
    measured = draw_lines(small, inspection.lines, scale)
    caption = "Regions, and what was measured" if inspection.lines else "Regions"
    tiles.append(Tile(caption, draw_boxes(measured, inspection.regions, inspection.verdict, scale)))
    if mask is not None:
        tiles.append(Tile("True defect", _draw_mask(small, _resize_keeping_peaks(mask.view(np.uint8), size))))
    return tiles


def photo_tile(photo: RgbImage, mask: Mask | None = None, side: int = 420) -> RgbImage:
    """The photo as `make_tiles` shows it, the true defect outlined where it is known."""
    scale = _scale(photo, side)
    size = (max(1, round(photo.shape[0] * scale)), max(1, round(photo.shape[1] * scale)))
    small = _resize(photo, size)
    if mask is None:
        return small
    return _outlined(small, _resize_keeping_peaks(mask.view(np.uint8), size))


def _scale(photo: RgbImage, side: int) -> float:
    height, width = photo.shape[:2]
    scale = min(side / math.sqrt(height * width), LONGEST * side / max(height, width))
    return float(math.floor(scale)) if scale >= 1 else scale


def _resize(photo: RgbImage, size: tuple[int, int]) -> RgbImage:
    step = max(1, photo.shape[0] // (4 * size[0]))  # of a huge photo every other pixel does
    shrinks = size[0] < photo.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(photo[::step, ::step], size[::-1], interpolation=interpolation), dtype=np.uint8)


def _resize_keeping_peaks(values: Values, size: tuple[int, int]) -> Values:
    """Averaging would make a small defect vanish from the picture of a large photo: keep the largest value instead."""
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
