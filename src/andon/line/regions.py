"""Anomaly map + threshold -> connected regions with boxes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError
from andon.types import FloatMap, Region


@dataclass(frozen=True, kw_only=True)
class RegionRule:
    """Which areas above the threshold count as regions.

    Attributes:
        min_area: share of the photo that a region covers at least.
        max_aspect: of the longer to the shorter side of its box, at most; None for no limit.
        merge_distance: areas with a gap up to this share of the photo's longer side are one region.
    """

    min_area: float = 0.0
    max_aspect: float | None = None
    merge_distance: float = 0.0

    def __post_init__(self) -> None:
        for name in ("min_area", "merge_distance"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"regions.{name} is {getattr(self, name):g}; choose a share from 0 to below 1.")
        if self.max_aspect is not None and not self.max_aspect >= 1:
            raise ConfigError(f"regions.max_aspect is {self.max_aspect:g}; choose a number from 1, such as 8.")


ALL = RegionRule()


def find_regions(anomaly_map: FloatMap, threshold: float, rule: RegionRule = ALL) -> tuple[Region, ...]:
    """The regions of `anomaly_map` (H, W) at or above `threshold` that `rule` keeps, strongest peak first.

    A region is 8-connected, or several such areas that lie near each other.
    """
    above = anomaly_map >= threshold
    pixels = np.flatnonzero(above).astype(np.int32)  # a photo has fewer than 2^31 pixels
    if not pixels.size:
        return ()
    _, labels = cv2.connectedComponents(_widened(above, rule), connectivity=8)
    label = labels.ravel()[pixels]
    by_label = np.argsort(label, kind="stable")
    of_each = np.split(pixels[by_label], np.flatnonzero(np.diff(label[by_label])) + 1)
    regions = [_region(anomaly_map, of_one) for of_one in of_each]
    told = (region for region in regions if _is_told(region, rule, anomaly_map.size))
    return tuple(sorted(told, key=lambda region: (-region.peak, region.xyxy)))


def _region(anomaly_map: FloatMap, pixels: NDArray[np.int32]) -> Region:
    """The region of these pixels, which are places in the flattened map, in order."""
    width = anomaly_map.shape[1]
    columns = pixels % width
    box = int(columns.min()), int(pixels[0]) // width, int(columns.max()) + 1, int(pixels[-1]) // width + 1
    values = anomaly_map.ravel()[pixels]
    return Region(box, len(values), float(values.max()), float(values.mean()))


def _widened(above: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], rule: RegionRule) -> cv2.typing.MatLike:
    """Areas (H, W) uint8 grown until those within the merge distance touch."""
    radius = round(rule.merge_distance * max(above.shape) / 2)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(above.astype(np.uint8), disc)


def _is_told(region: Region, rule: RegionRule, pixels: int) -> bool:
    x0, y0, x1, y1 = region.xyxy
    longer, shorter = max(x1 - x0, y1 - y0), min(x1 - x0, y1 - y0)
    return region.area_px >= rule.min_area * pixels and (rule.max_aspect is None or longer <= rule.max_aspect * shorter)
