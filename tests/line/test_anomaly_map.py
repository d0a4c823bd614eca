"""Patch scores come back to the pixels of the photo that they belong to."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from andon import preprocess
from andon.line.anomaly_map import reduced, smooth_map, to_original
from andon.types import FloatMap, Frame

SIZE = (64, 96)


def frame_of(height: int, width: int) -> Frame:
    return Frame.whole(np.zeros((height, width, 3), np.uint8))


def patches(row: int, column: int) -> FloatMap:
    scores = np.zeros((8, 12), np.float32)
    scores[row, column] = 1
    return scores


def centre(anomaly_map: FloatMap) -> tuple[float, float]:
    """x, y of the map's centre of mass."""
    y, x = np.indices(anomaly_map.shape)
    return float((x * anomaly_map).sum() / anomaly_map.sum()), float((y * anomaly_map).sum() / anomaly_map.sum())


@pytest.mark.parametrize("sigma", [0.0, 2.0])
def test_a_patch_lies_in_its_place_after_upsampling(sigma: float) -> None:
    smooth = smooth_map(patches(2, 7), frame_of(*SIZE), sigma)
    assert smooth.shape == SIZE and smooth.dtype == np.float32
    assert centre(smooth) == pytest.approx((7.5 * 8 - 0.5, 2.5 * 8 - 0.5), abs=0.05)


def test_between_two_patches_the_map_rises_evenly() -> None:
    smooth = smooth_map(patches(2, 7), frame_of(*SIZE), 0)
    between = smooth[20, 52:60]  # from the centre of column 6 to that of column 7
    np.testing.assert_allclose(np.diff(between), np.diff(between)[0], rtol=1e-5)
    assert between[0] < 0.1 and between[-1] > 0.8


def test_smoothing_is_the_gaussian_of_opencv_and_raises_no_value() -> None:
    scores = np.random.default_rng(0).random((8, 12), dtype=np.float32)
    plain, smooth = smooth_map(scores, frame_of(*SIZE), 0), smooth_map(scores, frame_of(*SIZE), 4.0)
    np.testing.assert_allclose(smooth, cv2.GaussianBlur(plain, (0, 0), 4.0), rtol=1e-6)
    assert plain.max() <= scores.max() and smooth.max() <= scores.max()


def test_outside_the_roi_the_map_is_zero() -> None:
    roi = np.zeros(SIZE, bool)
    roi[10:40, 20:50] = True
    smooth = smooth_map(np.ones((8, 12), np.float32), replace(frame_of(*SIZE), roi=roi), 3.0)
    assert (smooth[~roi] == 0).all()
    assert (smooth[roi] > 0).all()


def test_an_unmoved_frame_is_the_photo_itself() -> None:
    smooth = smooth_map(patches(3, 3), frame_of(*SIZE), 1.0)
    assert np.array_equal(to_original(smooth, frame_of(*SIZE)), smooth)


@pytest.mark.parametrize("photo", [(256, 384), (40, 60), (100, 300)])
def test_a_scaled_map_comes_back_to_the_photos_own_pixels(photo: tuple[int, int]) -> None:
    height, width = photo
    frame = preprocess.step_class("resize")(canvas=SIZE)(frame_of(height, width))  # type: ignore[call-arg]
    # where the frame's pixel (59.5, 19.5) lies in the photo
    x, y, _ = frame.to_original @ (59.5, 19.5, 1)
    original = to_original(smooth_map(patches(2, 7), frame, 1.0), frame)
    assert original.shape == photo and original.dtype == np.float32
    assert centre(original) == pytest.approx((x, y), abs=max(1.0, 0.01 * width))


def test_a_map_of_a_turned_part_comes_back_where_the_part_lay() -> None:
    quarter = np.array([[0, 1, 10], [-1, 0, 60], [0, 0, 1]], float)  # frame (x, y) -> photo (y + 10, 60 - x)
    frame = Frame(np.zeros((40, 60, 3), np.uint8), np.ones((40, 60), bool), quarter, (80, 120))
    smooth = np.zeros((40, 60), np.float32)
    smooth[8:11, 50:53] = 1  # around x 51, y 9
    original = to_original(smooth, frame)
    assert original.shape == (80, 120)
    assert centre(original) == pytest.approx((19, 9), abs=0.1)


def test_what_the_frame_does_not_show_is_zero_and_its_rim_is_kept() -> None:
    shift = np.array([[2, 0, 20.5], [0, 2, 10.5], [0, 0, 1]], float)  # a crop from (20, 10), shown at half the size
    frame = Frame(np.zeros((20, 30, 3), np.uint8), np.ones((20, 30), bool), shift, (80, 120))
    original = to_original(np.ones((20, 30), np.float32), frame)
    expected = np.zeros((80, 120), bool)
    expected[10:50, 20:80] = True
    grown = cv2.dilate(expected.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    assert (original[expected] == 1).all()
    assert (original[~grown] == 0).all()


def test_a_map_is_reduced_to_means_and_never_enlarged() -> None:
    checks = np.kron(np.arange(12, dtype=np.float32).reshape(3, 4), np.array([[0, 2], [2, 0]], np.float32))
    assert reduced(checks, 4) == pytest.approx(np.arange(12).reshape(3, 4))
    assert np.array_equal(reduced(checks, 8), checks)
    assert reduced(np.ones((1, 300), np.float32), 100).shape == (1, 100)
