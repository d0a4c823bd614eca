"""A proposal of an upright object's mask: in each row one span of pixels, found by dynamic programming.

What a mask costs is what it costs in GrabCut (Rother, Kolmogorov & Blake, SIGGRAPH 2004, section 2): for each pixel of
the object how much likelier its colour is beside the object, and for each stretch of outline how little of an edge lies
there. Two things are added. Colours are counted for each height by itself, so that a black foot is told from the black
things elsewhere; and a span lies about the object's axis. As each row has one span, the cheapest mask is found exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.preprocess._object_box import PADDING, Outline
from andon.preprocess._warp import Bounds
from andon.types import FloatMap, Mask

N_COLOURS = 40
SEED = 0  # of the clustering into colours
TRUNK = 0.85  # share of the outline's width that shows the object ...
SURELY = 3.0  # ... which it does in the lower half of the box: nats per pixel
HEIGHTS = 0.08  # of the box's height: sigma with which colours of other heights count
DOUBT = 1.0  # a share of the pixels, spread over all colours: the object may have one that has not been seen there
EDGE = 30.0  # nats per pixel of outline where there is no edge
OFF_AXIS = 0.5  # nats per pixel by which the middle of a row's span lies off the axis
WINDOW = 1.3  # the object is looked for up to this share of the outline's half width from the axis
BAND = 0.65  # share of the window's columns on which a span may begin, and end: it crosses the middle


def proposals(
    lab: FloatMap, steps: tuple[FloatMap, FloatMap], boxes: Sequence[Bounds], outlines: Sequence[Outline]
) -> list[Mask]:
    """One mask (H, W) for each box and the outline in it; `steps` are the `_edges.sharp_steps` of the photo."""
    contrast = sum(float(np.square(step).mean()) for step in steps) + 1e-6  # 1 / beta of GrabCut, equation 5
    across, down = (np.asarray(EDGE * np.exp(-np.square(step) / contrast), dtype=np.float32) for step in steps)
    masks = []
    for (top, left, bottom, right), outline in zip(boxes, outlines, strict=True):
        reach = WINDOW * outline.half + abs(outline.slope) * (bottom - top) / 2
        left, right = max(0, round(outline.axis - reach)), min(lab.shape[1], round(outline.axis + reach) + 1)
        window = slice(top, bottom), slice(left, right)
        axis = outline.axis + 0.5 - outline.slope * (np.arange(top, bottom) - lab.shape[0] / 2) - left
        trunk = outline.between(TRUNK, (lab.shape[0], lab.shape[1]))[window]
        inside = _pixel_costs(_colours(lab[window]), trunk)
        mask = np.zeros(lab.shape[:2], dtype=np.bool_)
        mask[window] = cheapest(inside, across[top:bottom, left : right + 1], down[top : bottom + 1, left:right], axis)
        masks.append(mask)
    return masks


def _colours(lab: FloatMap) -> NDArray[np.intp]:
    """(H, W) in 0..N_COLOURS-1: the cluster of each pixel's colour."""
    pixels = lab.reshape(-1, 3)
    cv2.setRNGSeed(SEED)
    some, stop = np.ascontiguousarray(pixels[::7]), (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    labels = np.zeros((len(some), 1), np.int32)
    _, _, found = cv2.kmeans(some, min(N_COLOURS, len(some)), labels, stop, 1, cv2.KMEANS_PP_CENTERS)
    centres = np.asarray(found, dtype=np.float32)
    nearest: NDArray[np.intp] = (np.square(centres).sum(axis=1) - 2 * pixels @ centres.T).argmin(axis=1)
    return nearest.reshape(lab.shape[0], lab.shape[1])


def _pixel_costs(colours: NDArray[np.intp], trunk: Mask) -> FloatMap:
    """(h, w) in nats: the log-likelihood of each pixel's colour beside the object, less that in it."""
    height = len(colours)
    padding = round(PADDING / (1 + 2 * PADDING) * height)
    seeds = trunk.copy()
    seeds[:padding] = seeds[height - padding :] = False
    is_colour = np.eye(N_COLOURS, dtype=np.float32)[colours]
    object_, rest = (_shares((is_colour * where[:, :, None]).sum(axis=1)) for where in (seeds, ~seeds))
    costs = np.take_along_axis(np.log(rest / object_), colours, axis=1)
    seeds[: height // 2] = False
    return np.asarray(costs - SURELY * seeds, dtype=np.float32)


def _shares(counts: FloatMap) -> FloatMap:
    """Of (h, N_COLOURS) pixels of each colour in each row: the share of each colour about that row."""
    near = cv2.GaussianBlur(counts, (1, 0), sigmaX=1e-3, sigmaY=HEIGHTS * len(counts), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(near / (near.sum(axis=1, keepdims=True) + 1e-6) + DOUBT / N_COLOURS)


def cheapest(inside: FloatMap, across: FloatMap, down: FloatMap, axis: NDArray[np.float64]) -> Mask:
    """The mask (h, w) of least cost that has one span in each row from its first to its last.

    Args:
        inside: (h, w), what a pixel of the object costs.
        across: (h, w + 1), what an outline to the left of a pixel costs; the last column is to the right of all.
        down: (h + 1, w), what an outline above a pixel costs; the last row is below all.
        axis: (h,), where the middle of a span costs nothing, as `across` counts columns.
    """
    height, width = inside.shape
    n = max(1, round(BAND * (width + 1)))
    before, above = (np.pad(costs, ((0, 0), (1, 0))).cumsum(axis=1, dtype=np.float32) for costs in (inside, down))
    left, right = np.arange(n)[:, None], np.arange(width + 1 - n, width + 1)
    cost: FloatMap = OFF_AXIS * np.abs((left + right) / 2 - axis[:, None, None]).astype(np.float32)
    cost += (across - before)[:, :n, None] + (across + before)[:, None, -n:]
    cost[:, left >= right] = np.inf
    begins, ends = above[:, :n, None], above[:, None, -n:]
    cost[0] += ends[0] - begins[0]
    for row in range(1, height):  # of all masks whose last row is this, by its span
        moved = _moved(_moved(cost[row - 1], begins[row], 0), ends[row], 1)
        cost[row] += np.minimum(moved, ends[row] - begins[row])
    mask = np.zeros((height, width), dtype=np.bool_)
    whole = cost + (ends - begins)[1:]
    row, i, j = (int(index) for index in np.unravel_index(int(whole.argmin()), whole.shape))
    while True:
        mask[row, i : j + width + 1 - n] = True
        moved = cost[row - 1] + np.abs(begins[row] - begins[row, i]) + np.abs(ends[row] - ends[row, :, j])
        if row == 0 or ends[row, 0, j] - begins[row, i, 0] <= moved.min():
            return mask
        row, (i, j) = row - 1, divmod(int(moved.argmin()), n)


def _moved(cost: FloatMap, above: FloatMap, axis: int) -> FloatMap:
    """The least cost of each span in the row below, where one end of it is anywhere and the other stays.

    Where an end moves, the pixels between have an outline above them: `above` holds their running sum.
    """
    to_right = np.minimum.accumulate(cost - above, axis=axis) + above
    to_left = np.flip(np.minimum.accumulate(np.flip(cost + above, axis), axis=axis), axis) - above
    moved: FloatMap = np.minimum(to_right, to_left)
    return moved
