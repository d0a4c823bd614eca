"""The rules by which proposals of an object's mask are repaired and judged, whatever made them.

Everything here is on the small photo on which the object is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from andon.preprocess._warp import Bounds, bounding_box
from andon.types import FloatMap, Mask

CENTRAL_BAND = (0.35, 0.65)  # of the box's width: the object's axis runs through it
BRIDGE_BAND = (0.42, 0.58)  # of the box's width, as narrow as a neck: gaps are bridged here
MID_HEIGHT_BAND = (0.35, 0.65)  # of the box's height
BORDER = 0.01  # of the photo's short side: this rim of the photo is nobody's
SCRAP = 0.02  # of the largest piece's area: smaller pieces are dropped
SLIVER = 0.012  # of the box's width: radius of the opening that cuts off threads of background
MIN_ASPECT = 1.2  # of height to width: it stands upright
MIN_EDGE = 1.2  # mean edge energy along an outline, in L*a*b* per pixel; sensor noise has some 0.3
MIN_CONTRAST = 4.0  # in L*: a smaller difference of inset and rim says nothing of polarity
SHARP = 92  # percentile of the edge energy from which an edge is in focus
WRONG_SIZE, TOO_WIDE, BLURRED = 1.5, 0.5, 0.5  # penalties ...
ACCEPTABLE = 1.25  # ... of which the sum must stay below this


@dataclass(frozen=True, kw_only=True)
class Scenery:
    """What the rules look at beside the proposal.

    Attributes:
        lightness: (H, W) L* in 0..100.
        energy: (H, W) edge energy in L*a*b* per pixel.
        sharpness: (H, W) of `_edges.sharpness`.
        inset: the middle of the box, which shows the object.
    """

    lightness: FloatMap
    energy: FloatMap
    sharpness: FloatMap
    box: Bounds
    inset: Bounds


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Attributes:
    vbridge_frac: gaps up to this share of the box's height are bridged along the axis.
    area_lo: share of the photo that an object covers at least.
    area_hi: and at most.
    """

    vbridge_frac: float
    area_lo: float
    area_hi: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """A repaired proposal.

    Attributes:
        looks: sharpness of the mask's outline times its symmetry; compares masks of different boxes.
        note: what had to be fallen back to; empty where nothing had.
    """

    mask: Mask
    looks: float
    note: str


def best(proposed: Sequence[Mask], scenery: Scenery, limits: Limits) -> Found | None:
    """The mask with the least penalty.

    None where the outline of no proposal lies on edges: there is no object.
    """
    inside = [right_way_round(mask, scenery) for mask in proposed]
    seen = [mask for mask in inside if stands_out(clean(mask, scenery.box), scenery.energy)]
    if not seen:
        return None
    attempts = (
        ([through_the_middle(mask, scenery.box, limits.vbridge_frac) for mask in seen], ""),
        (
            [largest_piece(mask, scenery.box) for mask in seen],
            "no proposal fits an upright object: its largest piece is used",
        ),
    )
    for masks, note in attempts:
        penalties = [penalty(mask, scenery, limits) for mask in masks]
        if min(penalties) < ACCEPTABLE:
            return _found(masks[int(np.argmin(penalties))], scenery, note)
    mask = np.zeros_like(seen[0])
    mask[_slices(scenery.box)] = True
    return _found(mask, scenery, "no proposal fits an object: the box around it is used")


def right_way_round(mask: Mask, scenery: Scenery) -> Mask:
    """The proposal within the box; turned over where it holds the background.

    Polarity, the object being lighter or darker than what surrounds it, is taken from the inset and the box's rim.
    """
    box = _slices(scenery.box)
    inside, lightness = mask[box], scenery.lightness[box]
    polarity = float(np.median(scenery.lightness[_slices(scenery.inset)]) - np.median(_rim(lightness)))
    if 0 < inside.mean() < 1 and abs(polarity) >= MIN_CONTRAST:
        difference = float(lightness[inside].mean() - lightness[~inside].mean())
        covers_inset = mask[_slices(scenery.inset)].mean() >= 0.5
        if difference * polarity < 0 and not covers_inset:
            inside = ~inside
    kept = np.zeros_like(mask)
    kept[box] = inside
    rim = max(1, round(BORDER * min(mask.shape)))
    kept[:rim] = kept[-rim:] = kept[:, :rim] = kept[:, -rim:] = False
    return kept


def through_the_middle(mask: Mask, box: Bounds, vbridge_frac: float) -> Mask:
    """The pieces that cross both the central vertical band and the mid-height band, joined and cleaned.

    A gap along the axis, such as between body and neck, is closed first, so that top and bottom are one piece with the
    middle. Empty where no piece crosses both.
    """
    top, left, bottom, right = box
    height, width = bottom - top, right - left
    axis, neck = (_band(share, left, width) for share in (CENTRAL_BAND, BRIDGE_BAND))
    middle = _band(MID_HEIGHT_BAND, top, height)
    bridge = cv2.getStructuringElement(cv2.MORPH_RECT, (1, 2 * round(vbridge_frac * height / 2) + 1))
    bridged = mask.astype(np.uint8)
    bridged[:, neck] = cv2.morphologyEx(np.ascontiguousarray(bridged[:, neck]), cv2.MORPH_CLOSE, bridge)
    _, labels = cv2.connectedComponents(bridged)
    crossing = np.intersect1d(labels[:, axis], labels[middle])
    return clean(np.isin(labels, crossing[crossing > 0]), box)


def clean(mask: Mask, box: Bounds) -> Mask:
    """Without threads, scraps and holes."""
    radius = max(1, round(SLIVER * (box[3] - box[1])))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc)
    outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max((cv2.contourArea(outline) for outline in outlines), default=0.0)
    kept = [outline for outline in outlines if cv2.contourArea(outline) >= SCRAP * largest]
    return cv2.drawContours(np.zeros_like(opened), kept, -1, 1, cv2.FILLED) > 0


def largest_piece(mask: Mask, box: Bounds) -> Mask:
    """The largest connected piece, cleaned."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if len(stats) == 1:
        return np.zeros_like(mask)
    return clean(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), box)


def stands_out(mask: Mask, energy: FloatMap) -> bool:
    """Whether the mask's outline lies on edges: that of a blank photo's mask lies anywhere."""
    outline = _outline(mask)
    return bool(outline.any()) and float(energy[outline].mean()) >= MIN_EDGE


def penalty(mask: Mask, scenery: Scenery, limits: Limits) -> float:
    """The lower the better.

    It counts how much of the inset is missed, how much of the box's rim is covered, how much of the outline lies on no
    sharp edge, as that of something out of focus behind the object does, and whether size and aspect are wrong.
    """
    top, left, bottom, right = bounding_box(mask)
    missed = 1 - float(mask[_slices(scenery.inset)].mean())
    reaches_rim = float(_rim(mask[_slices(scenery.box)]).mean())
    outline = _outline(mask)
    in_focus = scenery.energy >= np.percentile(scenery.energy, SHARP)
    blurred = 1 - float(in_focus[outline].mean()) if outline.any() else 1.0
    wrong_size = WRONG_SIZE * (not limits.area_lo <= mask.mean() <= limits.area_hi)
    too_wide = TOO_WIDE * (bottom - top < MIN_ASPECT * (right - left))
    return missed + reaches_rim + BLURRED * blurred + wrong_size + too_wide


def outline_sharpness(mask: Mask, scenery: Scenery) -> float:
    """Mean of the sharpest step within a pixel of the mask's outline."""
    outline = _outline(mask, thickness=1)
    return float(cv2.dilate(scenery.sharpness, np.ones((3, 3), np.uint8))[outline].mean()) if outline.any() else 0.0


def symmetry(mask: Mask) -> float:
    """How evenly a mask of one span per row lies about its axis, in [0, 1]; the axis may lean.

    The narrower side of each row, as a share of the wider one.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) < 2:
        return 0.0
    left, right = mask[rows].argmax(axis=1), mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    axis = np.polyval(np.polyfit(rows, (left + right) / 2, 1, w=right - left), rows)
    sides = np.clip([axis - left, right - axis], 0, None)
    return float(sides.min(axis=0).sum() / sides.max(axis=0).sum())


def _found(mask: Mask, scenery: Scenery, note: str) -> Found:
    return Found(mask=mask, looks=outline_sharpness(mask, scenery) * symmetry(mask), note=note)


def _outline(mask: Mask, thickness: int = 3) -> Mask:
    """(H, W) the outline of the mask, some pixels wide."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, thickness) > 0


def _rim(values: np.ndarray) -> np.ndarray:
    """The outermost values (H, W) of a box, in one row."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _band(shares: tuple[float, float], start: int, length: int) -> slice:
    """From one share of the length to the other, one pixel at least."""
    first, last = (start + round(share * length) for share in shares)
    return slice(first, max(last, first + 1))


def _slices(box: Bounds) -> tuple[slice, slice]:
    top, left, bottom, right = box
    return slice(top, bottom), slice(left, right)
