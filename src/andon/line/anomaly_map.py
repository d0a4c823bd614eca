"""Patch scores -> a smooth anomaly map in the photo file's own pixels (Roth et al. 2022, end of section 3.3)."""

from __future__ import annotations

import cv2
import numpy as np

from andon.types import FloatMap, Frame, Mask


def smooth_map(patch: FloatMap, frame: Frame, sigma: float) -> FloatMap:
    """The map in the pixels of `frame`: upsampled bilinearly, Gaussian, zero outside the ROI.

    Args:
        patch: (h, w) float32 patch scores.
        sigma: standard deviation of the Gaussian in pixels of the frame; 0 for none.

    Returns:
        (H, W) float32. No value is above the largest patch score.
    """
    height, width = frame.size
    upsampled = cv2.resize(patch, (width, height), interpolation=cv2.INTER_LINEAR)
    if sigma > 0:
        upsampled = cv2.GaussianBlur(upsampled, (0, 0), sigma)
    smooth = np.asarray(upsampled, dtype=np.float32)
    smooth[~frame.roi] = 0
    return smooth


def to_original(smooth: FloatMap, frame: Frame) -> FloatMap:
    """The map of `smooth_map` warped back to the photo file: (H0, W0) float32, zero where the frame does not reach."""
    height, width = frame.original_size
    if np.array_equal(frame.to_original, np.eye(3)) and frame.size == frame.original_size:
        return smooth
    # Half a frame pixel lies between the frame's edge and its outermost pixel centres: replicate so that the map
    # reaches the photo's rim, then cut what the frame does not show.
    warped = cv2.warpPerspective(
        smooth, frame.to_original, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    original = np.asarray(warped, dtype=np.float32)
    original[~_shown(frame)] = 0
    return original


def reduced(anomaly_map: FloatMap, side: int) -> FloatMap:
    """A map (H, W) as (h, w) of the same shape, at most `side` high and wide; each value is the mean of its area."""
    height, width = anomaly_map.shape
    scale = side / max(height, width)
    if scale >= 1:
        return anomaly_map
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(anomaly_map, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def roi_in_original(frame: Frame) -> Mask | None:
    """Where the part is in the photo file, (H0, W0) bool; None where that is the whole photo."""
    roi: Mask = to_original(frame.roi.astype(np.float32), frame) > 0.5
    return None if roi.all() else roi


def _shown(frame: Frame) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(H0, W0) bool: the photo's pixels that the frame shows."""
    height, width = frame.size
    corners = np.array([[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]])
    outline = cv2.perspectiveTransform(corners[None], frame.to_original)[0]
    shown = np.zeros(frame.original_size, dtype=np.uint8)
    cv2.fillConvexPoly(shown, np.round(outline).astype(np.int32), 1)
    return shown.astype(bool)
