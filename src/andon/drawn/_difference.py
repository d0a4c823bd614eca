"""Where damage shows: the ground truth of a drawn photo, from the same scene with the part sound and damaged."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.drawn._fastener_scene import encode
from andon.drawn._solids import Floats
from andon.types import Mask

Bytes = NDArray[np.uint8]

# The smallest change of a pixel that counts as defect, as a share of white.
PART_CHANGE, TABLE_CHANGE = 0.035, 0.025


def changed(sound: Floats, damaged: Floats, part: Mask) -> Bytes:
    """Where two linear pictures (H, W, 3) differ, (H, W) uint8 0 or 1: a few regions, each at least partly on `part`.

    They have no holes.
    """
    difference = np.abs(encode(damaged) - encode(sound)).max(axis=2)
    differs = (difference > np.where(part, PART_CHANGE, TABLE_CHANGE)).astype(np.uint8)
    clean = cv2.morphologyEx(cv2.morphologyEx(differs, cv2.MORPH_CLOSE, disc(4)), cv2.MORPH_OPEN, disc(1))
    outlines, _ = cv2.findContours(clean, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    smallest = 0.1 * max(map(cv2.contourArea, outlines))
    regions: Bytes = np.zeros_like(differs)
    for outline in outlines:
        region = np.zeros_like(differs)
        cv2.drawContours(region, [outline], -1, 1, cv2.FILLED)
        if cv2.contourArea(outline) >= smallest and part[region > 0].any():
            regions |= region
    return regions


def disc(radius: int) -> Bytes:
    """A round kernel."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)
