"""The numbers that say how a photo looks, on photos whose numbers are known."""

import cv2
import numpy as np
import pytest

from andon.line.appearance import FEATURES, LAYOUT_SIDE, appearance_of, layout_distances
from andon.types import RgbImage

SIZE = (96, 144)


def plain(*colour: int) -> RgbImage:
    return np.full((*SIZE, 3), colour, np.uint8)


def stripes(axis: int) -> RgbImage:
    """Soft stripes, upright along axis 1 and level along axis 0."""
    wave = 128 + 80 * np.sin(np.arange(SIZE[axis]) / 4)
    lines = wave[None, :] if axis == 1 else wave[:, None]
    return np.repeat(np.broadcast_to(lines, SIZE)[:, :, None], 3, axis=2).astype(np.uint8)


def test_a_plain_photo_has_its_grey_value_and_nothing_else():
    seen = appearance_of(plain(128))
    assert (seen["brightness"], seen["contrast"], seen["overexposed"], seen["underexposed"]) == (128, 0, 0, 0)
    assert 2 ** seen["size"] == pytest.approx(np.sqrt(96 * 144))
    assert 2 ** seen["shape"] == pytest.approx(1.5)
    assert seen["redness"] == pytest.approx(0, abs=0.1)
    assert (seen.layout == 128).all()


def test_white_and_black_are_shares_of_the_pixels():
    photo = plain(128)
    photo[:, :36], photo[:, 36:54] = 255, 0
    seen = appearance_of(photo)
    assert (seen["overexposed"], seen["underexposed"]) == (0.25, 0.125)


def test_colours_have_the_signs_of_lab():
    assert appearance_of(plain(200, 60, 60))["redness"] > 20
    assert appearance_of(plain(60, 60, 200))["yellowness"] < -20


def test_stripes_have_a_direction_that_turns_with_them():
    upright, level = appearance_of(stripes(1))["direction"], appearance_of(stripes(0))["direction"]
    assert upright > 2 and level < -2


def test_blur_takes_sharpness_and_more_blur_more():
    grains = np.random.default_rng(0).integers(0, 256, (12, 18, 3)).astype(np.uint8)
    photo = grains.repeat(8, axis=0).repeat(8, axis=1)
    sharp = [appearance_of(photo)["sharpness"]]
    sharp += [
        appearance_of(cv2.GaussianBlur(photo, (0, 0), sigma).astype(np.uint8))["sharpness"] for sigma in (1, 2, 4)
    ]
    assert sharp == sorted(sharp, reverse=True) and sharp[0] - sharp[1] > 0.5


def test_light_leaves_sharpness_alone():
    photo = np.random.default_rng(0).integers(60, 120, (12, 18, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    assert appearance_of(photo * 2)["sharpness"] == pytest.approx(appearance_of(photo)["sharpness"], abs=0.1)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (3, 2), (700, 5)])
def test_a_photo_of_any_size_has_an_appearance(size):
    seen = appearance_of(np.full((*size, 3), 7, np.uint8))
    assert np.isfinite(seen.values).all() and len(seen.values) == len(FEATURES)
    assert seen.layout.shape == (LAYOUT_SIDE, LAYOUT_SIDE, 3)


def test_layouts_differ_by_their_root_mean_square():
    layouts = np.stack([appearance_of(plain(grey)).layout for grey in (100, 103)])
    assert layout_distances(layouts, layouts) == pytest.approx(np.array([[0, 3], [3, 0]]))
