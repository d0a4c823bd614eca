"""Connected regions of a map, drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from andon.errors import ConfigError
from andon.line.regions import RegionRule, find_regions
from andon.types import Region


def test_each_connected_area_is_a_region_strongest_first() -> None:
    anomaly_map = np.zeros((30, 50), np.float32)
    anomaly_map[4:8, 10:15] = 2.0
    anomaly_map[20:22, 30:50] = 3.0
    anomaly_map[20, 30] = 5.0
    weak, strong = Region((10, 4, 15, 8), 20, 2.0, 2.0), Region((30, 20, 50, 22), 40, 5.0, 3.05)
    found = find_regions(anomaly_map, 1.0)
    assert [region.xyxy for region in found] == [strong.xyxy, weak.xyxy]
    assert [region.area_px for region in found] == [40, 20]
    np.testing.assert_allclose([[r.peak, r.mean] for r in found], [[5.0, 3.05], [2.0, 2.0]], rtol=1e-6)


def test_the_threshold_itself_belongs_to_a_region() -> None:
    anomaly_map = np.zeros((10, 20), np.float32)
    anomaly_map[3, 4] = 1.5
    assert len(find_regions(anomaly_map, 1.5)) == 1
    assert find_regions(anomaly_map, 1.5001) == ()


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    anomaly_map = np.zeros((10, 20), np.float32)
    anomaly_map[3, 4] = anomaly_map[4, 5] = 1
    assert [region.xyxy for region in find_regions(anomaly_map, 1.0)] == [(4, 3, 6, 5)]


def test_a_box_counts_only_its_own_region() -> None:
    anomaly_map = np.zeros((20, 30), np.float32)
    anomaly_map[2, 2:12] = anomaly_map[2:12, 2] = 1  # an L ...
    anomaly_map[6:9, 6:9] = 4  # ... around a block
    block, corner = find_regions(anomaly_map, 1.0)
    assert (block.area_px, block.peak) == (9, 4.0)
    assert (corner.area_px, corner.peak, corner.mean) == (19, 1.0, 1.0)


def test_a_map_below_the_threshold_has_no_region() -> None:
    assert find_regions(np.ones((10, 20), np.float32), 2.0) == ()


def test_small_and_slender_areas_can_be_left_out() -> None:
    anomaly_map = np.zeros((50, 100), np.float32)
    anomaly_map[5:15, 5:20] = 1  # 150 pixels
    anomaly_map[30:33, 10:70] = 1  # 180 pixels, 20 times as long as wide
    anomaly_map[45, 90] = 9  # one pixel
    large = find_regions(anomaly_map, 1.0, RegionRule(min_area=0.02))
    assert [region.area_px for region in large] == [150, 180]
    compact = find_regions(anomaly_map, 1.0, RegionRule(min_area=0.02, max_aspect=19))
    assert [region.xyxy for region in compact] == [(5, 5, 20, 15)]


def test_near_areas_can_be_told_as_one_that_counts_only_what_is_above() -> None:
    anomaly_map = np.zeros((50, 100), np.float32)
    anomaly_map[10:20, 10:20] = 1
    anomaly_map[10:20, 24:30] = 3  # a gap of 4 pixels
    anomaly_map[10:20, 60:70] = 2  # and one of 30
    merged, far = find_regions(anomaly_map, 1.0, RegionRule(merge_distance=0.06))
    assert (merged.xyxy, merged.area_px, merged.peak) == ((10, 10, 30, 20), 160, 3.0)
    assert merged.mean == pytest.approx(1.75)
    assert far.xyxy == (60, 10, 70, 20)
    assert len(find_regions(anomaly_map, 1.0, RegionRule(merge_distance=0.01))) == 3


@pytest.mark.parametrize("wrong", [{"min_area": -0.1}, {"merge_distance": 1.0}, {"max_aspect": 0.5}])
def test_a_wrong_rule_is_refused_in_one_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"regions.{next(iter(wrong))} is .*; choose a"):
        RegionRule(**wrong)
