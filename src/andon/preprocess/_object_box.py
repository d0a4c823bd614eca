"""Where in a photo an upright object roughly is, from edge energy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from andon.preprocess._warp import Bounds
from andon.types import FloatMap, Mask

SATURATION = 98.5  # percentile: a print or a reflection does not count more than the object's long outline
SHARP = 95  # percentile of the edge energy from which an edge is sharp
ROWS = (0.15, 0.85)  # that are searched for upright edges, as shares of the height
HALF_WIDTHS = (0.10, 0.40)  # of an object, as shares of the photo's width
LEANS = range(-6, 7)  # of an object or a camera, in degrees
CENTRED = 0.15  # standard deviation of where an object's axis lies, as a share of the photo's width
CORE = 0.7  # share of the outline's width in which the object's top and bottom are looked for
TAIL = 0.01  # share of the sharp edges that lies above the object, and below
PADDING = 0.10
N_OUTLINES = 3
DISTINCT = 0.2  # two outlines differ where an edge lies this share of the half width apart


@dataclass(frozen=True, kw_only=True)
class Outline:
    """The two upright edges of an object.

    Attributes:
        axis: column in the middle between them, at half the photo's height.
        half: columns from the axis to each.
        slope: columns that the axis goes to the left per row down.
    """

    axis: int
    half: int
    slope: float

    def between(self, share: float, size: tuple[int, int]) -> Mask:
        """(H, W) bool: up to `share` of `half` from the axis, over the whole height."""
        rows, columns = np.indices(size)
        return np.abs(columns - self.axis + self.slope * (rows - size[0] / 2)) <= share * self.half


def find_outlines(across: FloatMap) -> list[Outline]:
    """Pairs of parallel edges that face each other on most rows, the axis between them near the photo's middle.

    The best first. Things that stand beside the object can look like a better pair than its own two edges do, so a few
    that differ are worth a look.

    Args:
        across: of `edge_energy`.
    """
    # A part of the width is resolution enough, and lets a slightly bent edge count.
    height, width = across.shape[0] // 2, across.shape[1] // 2
    coarse = cv2.resize(
        np.minimum(across, np.percentile(across, SATURATION)), (width, height), interpolation=cv2.INTER_AREA
    )
    coarse = cv2.dilate(coarse, np.ones((1, 3), np.uint8))
    prior = np.exp(-0.5 * ((np.arange(width) / width - 0.5) / CENTRED) ** 2)
    slopes = [math.tan(math.radians(lean)) for lean in LEANS]
    halves = np.arange(max(1, round(HALF_WIDTHS[0] * width)), max(2, round(HALF_WIDTHS[1] * width)))
    facing = np.zeros((len(slopes), len(halves), width), np.float32)
    for i, slope in enumerate(slopes):
        rows = _sheared(np.asarray(coarse, np.float32), slope)[round(ROWS[0] * height) : round(ROWS[1] * height)]
        for j, half in enumerate(halves.tolist()):
            both = np.minimum(rows[:, : width - 2 * half], rows[:, 2 * half :]).sum(axis=0)
            facing[i, j, half : width - half] = both * prior[half : width - half]
    left, right = np.arange(width) - halves[:, None], np.arange(width) + halves[:, None]
    outlines = []
    for _ in range(N_OUTLINES):
        lean, width_at, axis = (int(index) for index in np.unravel_index(int(facing.argmax()), facing.shape))
        half = int(halves[width_at])
        outlines.append(Outline(axis=2 * axis, half=2 * half, slope=slopes[lean]))
        is_alike = np.maximum(np.abs(left - (axis - half)), np.abs(right - (axis + half))) <= DISTINCT * half
        facing[:, is_alike] = -1
    return outlines


def coarse_box(outline: Outline, energy: FloatMap) -> Bounds:
    """Half-open (top, left, bottom, right): the outline's columns, and the rows with sharp edges between them.

    What lies behind the object is out of focus and has none. Padded by a tenth on each side.
    """
    height, width = energy.shape
    is_sharp = (energy > np.percentile(energy, SHARP)) & outline.between(CORE, energy.shape)
    rows = np.cumsum(is_sharp.sum(axis=1))
    top, bottom = (int(row) for row in np.searchsorted(rows, [TAIL * rows[-1], (1 - TAIL) * rows[-1]]))
    if bottom <= top:  # a photo without any edge
        top, bottom = 0, height
    reach = outline.half + round(abs(outline.slope) * (bottom - top) / 2)
    return expand((top, outline.axis - reach, bottom, outline.axis + reach + 1), PADDING, (height, width))


def expand(box: Bounds, share: float, size: tuple[int, int]) -> Bounds:
    """The box, larger by that share of its height and width on each side, within a photo of `size` (H, W).

    A share below 0 makes it smaller; a pixel remains.
    """
    top, left, bottom, right = box
    down, across = (max(round(share * side), -((side - 1) // 2)) for side in (bottom - top, right - left))
    return max(top - down, 0), max(left - across, 0), min(bottom + down, size[0]), min(right + across, size[1])


def _sheared(picture: FloatMap, slope: float) -> FloatMap:
    """Rows shifted so that what goes `slope` columns to the left per row down stands upright."""
    height, width = picture.shape
    shift = np.array([[1, slope, -slope * height / 2], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(picture, shift, (width, height)), dtype=np.float32)
