"""Edges of a photo by colour: how strong they are, and which of them are in focus."""

from __future__ import annotations

import cv2
import numpy as np

from andon.types import FloatMap, RgbImage

SMOOTHING = 1.0  # sigma in pixels
NARROW = 5  # pixels: what changes over more than these is a shade, or out of focus


def to_lab(image: RgbImage) -> FloatMap:
    """(H, W, 3) CIE L*a*b*, L* in 0..100."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), dtype=np.float32)


def edge_energy(image: RgbImage) -> tuple[FloatMap, FloatMap]:
    """Change of colour across and down the photo, two (H, W) in units of L*a*b* per pixel."""
    smooth = cv2.GaussianBlur(image.astype(np.float32) / 255, (0, 0), SMOOTHING)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    across, down = (np.abs(cv2.Sobel(lab, cv2.CV_32F, *order, scale=1 / 8)).max(axis=2) for order in ((1, 0), (0, 1)))
    return across, down


def sharp_steps(lab: FloatMap) -> tuple[FloatMap, FloatMap]:
    """How much the colour changes from pixel to pixel at edges in focus, in units of L*a*b*.

    The morphological top-hat of the change takes away what is wider than `NARROW`.

    Returns:
        (H, W + 1): between each pixel and the one to its left, and (H + 1, W): and the one above; 0 at the photo's rim.
    """
    height, width = lab.shape[:2]
    across, down = np.zeros((height, width + 1), np.float32), np.zeros((height + 1, width), np.float32)
    for steps, axis, kernel in ((across[:, 1:-1], 1, (1, NARROW)), (down[1:-1], 0, (NARROW, 1))):
        change = np.linalg.norm(np.diff(lab, axis=axis), axis=2)
        steps[:] = cv2.morphologyEx(change, cv2.MORPH_TOPHAT, np.ones(kernel, np.uint8))
    return across, down


def sharpness(across: FloatMap, down: FloatMap) -> FloatMap:
    """(H, W): the largest of the `sharp_steps` on the four sides of each pixel."""
    sides: FloatMap = np.maximum.reduce([across[:, 1:], across[:, :-1], down[1:], down[:-1]])
    return sides
