"""Anomaly map + threshold -> connected regions with boxes."""

from __future__ import annotations

import cv2
import numpy as np

from andon.types import FloatMap, Region


def find_regions(anomaly_map: FloatMap, threshold: float) -> tuple[Region, ...]:
    """The 8-connected regions of `anomaly_map` (H, W) at or above `threshold`, strongest peak first."""
    above = (anomaly_map >= threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    regions = []
    for label in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[label])
        window = np.s_[y : y + height, x : x + width]
        values = anomaly_map[window][labels[window] == label]
        regions.append(Region((x, y, x + width, y + height), area, float(values.max()), float(values.mean())))
    return tuple(sorted(regions, key=lambda region: (-region.peak, region.xyxy)))
