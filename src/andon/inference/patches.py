"""Which patches of a photo count."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.types import Mask


def patches_in_roi(roi: Mask, size: tuple[int, int]) -> Mask:
    """(H, W) bool -> (h, w) bool: the patches that lie in the ROI by at least half.

    Where no patch is covered that much, the ones that are covered most stand in, so that a small ROI still has some.
    """
    if roi.all():
        return np.ones(size, np.bool_)
    (top, bottom), (left, right) = (_borders(*sides) for sides in zip(roi.shape, size, strict=True))
    total = cv2.integral(roi.astype(np.uint8))
    inside = total[bottom][:, right] - total[top][:, right] - total[bottom][:, left] + total[top][:, left]
    covered = (inside / np.outer(bottom - top, right - left)).astype(np.float32)
    counts: Mask = (covered >= min(0.5, covered.max())) & (covered > 0)
    return counts


def _borders(pixels: int, patches: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each of the patches along a side begins and ends, (patches,) each; neighbours may share a pixel."""
    number = np.arange(patches)
    return number * pixels // patches, -(-(number + 1) * pixels // patches)
