"""Proposals of a part's mask, and how well each agrees with the photo's edges.

Everything here is on the small, smoothed photo on which the part is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.preprocess._edges import to_lab
from andon.types import FloatMap, Mask, RgbImage

Contour = cv2.typing.MatLike

NARROW = 9  # pixels: what changes over more than these is a shadow or a shade, not an outline
GAPS = (0.05, 0.08)  # of the short side: gaps in an outline that are bridged, one proposal each
CLOSING_SHARE = 0.015  # of the short side: diameter of the kernel; small, so that neighbouring parts stay apart
OPENING_SHARE = 0.025
BAR_SHARE = 0.15  # of the photo's height or width: a caption bar is no thicker
SIMILAR_AREA = 0.25  # a contour of this share of the largest one's area is another part, not dirt
STRONGER = 80  # percentile of the strong edges: an edge counts no more than that
FAINT = 1.0  # in L*a*b* per pixel: noise leaves edges of less
NEAR = 7  # pixels: edges this near the mask are its own


def edge_strength(image: RgbImage) -> FloatMap:
    """(H, W) length of the gradient, in units of L*a*b* per pixel."""
    lab = to_lab(image)
    across, down = (cv2.Sobel(lab, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    strength: FloatMap = np.sqrt(np.square(across).sum(axis=2) + np.square(down).sum(axis=2))
    return strength


def within_edges(strength: FloatMap) -> Iterator[list[Contour]]:
    """What the photo's edges enclose, several proposals: the contours of each as `part_contours` gives them.

    A soft shadow changes the photo as much as a part does, but over more pixels, so the morphological top-hat takes its
    edges away. It takes those of a part out of focus too: the last proposal has all edges.
    """
    narrow = np.asarray(cv2.morphologyEx(strength, cv2.MORPH_TOPHAT, _disc(NARROW)), dtype=np.float32)
    for edges, gap in ((narrow, GAPS[0]), (narrow, GAPS[1]), (strength, GAPS[0])):
        found = _strong(edges)
        closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, _disc(gap * min(found.shape)))
        outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        filled = cv2.drawContours(np.zeros_like(closed), outlines, -1, 255, cv2.FILLED)
        yield part_contours(cv2.erode(filled, np.ones((3, 3), np.uint8)))  # an edge lies on both sides of the outline


def part_contours(foreground: cv2.typing.MatLike) -> list[Contour]:
    """Outer contours after morphological closing and opening, largest first: the largest and those of similar size."""
    short_side = min(foreground.shape)
    closed = cv2.morphologyEx(foreground, cv2.MORPH_CLOSE, _disc(CLOSING_SHARE * short_side))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(OPENING_SHARE * short_side))
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    parts = sorted((c for c in contours if not _is_bar(c, foreground.shape)), key=cv2.contourArea, reverse=True)
    return [part for part in parts if cv2.contourArea(part) >= SIMILAR_AREA * cv2.contourArea(parts[0])]


def without_bars(strength: FloatMap, foreground: cv2.typing.MatLike) -> FloatMap:
    """The edges, with the usual noise in place of those of bars (see `_is_bar`) among the foreground."""
    contours, _ = cv2.findContours(foreground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    bars = filled([contour for contour in contours if _is_bar(contour, foreground.shape)], strength.shape)
    return np.where(cv2.dilate(bars, np.ones((NEAR, NEAR), np.uint8)) > 0, np.median(strength), strength)


def filled(contours: list[Contour], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """(H, W), 255 within the contours."""
    return np.asarray(cv2.drawContours(np.zeros(size, np.uint8), contours, -1, 255, cv2.FILLED), dtype=np.uint8)


def agreement(mask: Mask, strength: FloatMap) -> float:
    """How well a mask fits the photo's edges, 0..1.

    The mean strength of the edges along its outline times the share of all edges that it holds; an edge counts no more
    than one of the strongest. Along the photo's rim there are none.
    """
    strong = strength[_strong(strength) > 0]
    limit = max(float(np.percentile(strong, STRONGER)), FAINT) if strong.size else FAINT
    bits = mask.astype(np.uint8)
    inner = cv2.erode(bits, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    outline = bits > inner
    if not outline.any():
        return 0.0
    along = cv2.dilate(strength, np.ones((3, 3), np.uint8))
    along[[0, -1]] = along[:, [0, -1]] = 0
    along = along[outline]
    energy = np.square(np.minimum(strength, limit))
    held = energy[cv2.dilate(bits, np.ones((NEAR, NEAR), np.uint8)) > 0].sum() / max(energy.sum(), 1e-9)
    return float(np.minimum(along / limit, 1).mean() * held)


def _strong(edges: FloatMap) -> NDArray[np.uint8]:
    """(H, W), 255 where Otsu's threshold tells an edge from none."""
    root = np.minimum(80 * np.sqrt(edges), 255).astype(np.uint8)
    return np.asarray(cv2.threshold(root, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], dtype=np.uint8)


def _disc(diameter: float) -> cv2.typing.MatLike:
    odd = 2 * round(diameter / 2) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (odd, odd))


def _is_bar(contour: Contour, shape: tuple[int, ...]) -> bool:
    """Whether it is a thin bar along one whole side of the photo: a caption, or the edge of the table."""
    x, y, width, height = cv2.boundingRect(contour)
    at_sides, at_ends = (x == 0, x + width == shape[1]), (y == 0, y + height == shape[0])
    lies = all(at_sides) and any(at_ends) and height <= BAR_SHARE * shape[0]
    stands = all(at_ends) and any(at_sides) and width <= BAR_SHARE * shape[1]
    return lies or stands
