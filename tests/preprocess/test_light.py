"""The steps that change light and colour, on pictures with known answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from andon.preprocess.blank_background import BlankBackground
from andon.preprocess.clahe import Clahe
from andon.preprocess.gamma import Gamma
from andon.preprocess.specular_highlights import SpecularHighlights
from andon.preprocess.unsharp_mask import UnsharpMask
from andon.preprocess.white_balance import WhiteBalance
from andon.types import Frame, RgbImage

SIZE = (90, 140)


def grey_ramp() -> RgbImage:
    ramp = np.tile(np.linspace(40, 180, SIZE[1]), (SIZE[0], 1))
    return ramp[:, :, None].repeat(3, axis=2).astype(np.uint8)


def test_a_colour_cast_is_taken_out() -> None:
    lamp = np.array([1.2, 1.0, 0.75])
    frame = WhiteBalance()(Frame.whole((grey_ramp() * lamp).astype(np.uint8)))
    channels = frame.image.astype(int)
    assert np.abs(channels[:, :, 0] - channels[:, :, 2]).max() <= 3
    assert channels.mean() == pytest.approx(grey_ramp().mean() * lamp.mean(), abs=1.5)
    assert frame.notes == ()


def test_a_rusty_photo_keeps_its_colour_beyond_the_gain_limit() -> None:
    rust = np.empty((*SIZE, 3), np.uint8)
    rust[:] = (180, 90, 45)
    frame = WhiteBalance(max_gain=1.25)(Frame.whole(rust))
    assert frame.image[0, 0].tolist() == [144, 105, 56]
    assert frame.notes == ("strong colour cast: white balance stopped at a gain of 1.25",)


def test_white_balance_leaves_a_photo_without_blue_as_it_is() -> None:
    image = grey_ramp()
    image[:, :, 2] = 0
    frame = WhiteBalance()(Frame.whole(image))
    assert np.array_equal(frame.image, image)
    assert frame.notes == ("a colour channel is black: not white-balanced",)


def test_small_highlights_are_painted_over_and_nothing_else_changes() -> None:
    image = np.full((*SIZE, 3), 110, np.uint8)
    cv2.circle(image, (60, 40), 4, (255, 255, 255), cv2.FILLED)
    frame = SpecularHighlights()(Frame.whole(image))
    assert np.abs(frame.image.astype(int) - 110).max() <= 5
    assert (frame.image[:, :50] == 110).all()


def test_a_white_background_is_no_highlight() -> None:
    image = np.full((*SIZE, 3), 255, np.uint8)
    image[20:70, 30:110] = 90
    frame = SpecularHighlights()(Frame.whole(image))
    assert np.array_equal(frame.image, image)


def test_a_bright_colour_is_no_highlight() -> None:
    image = np.full((*SIZE, 3), 110, np.uint8)
    cv2.circle(image, (60, 40), 4, (255, 200, 40), cv2.FILLED)
    assert np.array_equal(SpecularHighlights()(Frame.whole(image)).image, image)


def test_clahe_lifts_contrast_and_keeps_colour() -> None:
    stripes = np.where(np.arange(SIZE[1]) % 8 < 4, 100, 112)[None, :, None]
    image = (stripes * np.array([1.3, 0.9, 0.6]) * np.ones((*SIZE, 1))).astype(np.uint8)
    before = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(float)
    after = cv2.cvtColor(Clahe()(Frame.whole(image)).image, cv2.COLOR_RGB2LAB).astype(float)
    assert after[:, :, 0].std() > 1.3 * before[:, :, 0].std()
    assert np.abs(after[:, :, 1:].mean(axis=(0, 1)) - before[:, :, 1:].mean(axis=(0, 1))).max() < 2


def test_gamma_opens_the_shadows_and_keeps_black_and_white() -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:, 40:] = (64, 128, 255)
    after = Gamma(gamma=0.5)(Frame.whole(image)).image
    assert after[0, 0].tolist() == [0, 0, 0]
    assert after[0, 60].tolist() == [128, 181, 255]  # 255 * sqrt(v / 255)


def test_a_gamma_of_one_changes_nothing() -> None:
    assert np.array_equal(Gamma(gamma=1.0)(Frame.whole(grey_ramp())).image, grey_ramp())


def test_unsharp_masking_steepens_an_edge_and_leaves_plain_areas() -> None:
    image = np.full((*SIZE, 3), 80, np.uint8)
    image[:, 70:] = 160
    row = UnsharpMask(amount=1.0, sigma=2.0)(Frame.whole(image)).image[45, :, 0].astype(int)
    assert row[69] < 60 and row[70] > 180  # darker on the dark side, lighter on the light one
    assert (row[:60] == 80).all() and (row[80:] == 160).all()


def test_twice_the_amount_adds_twice_as_much() -> None:
    image = np.full((*SIZE, 3), 100, np.uint8)
    image[40:50, 60:75] = 130
    once, twice = (UnsharpMask(amount=amount)(Frame.whole(image)).image.astype(int) - image for amount in (0.5, 1.0))
    assert twice.max() > 8
    assert np.abs(twice - 2 * once).max() <= 2  # rounding


def test_blank_background_keeps_the_part_only() -> None:
    roi = np.zeros(SIZE, bool)
    roi[20:50, 40:90] = True
    frame = BlankBackground()(Frame(grey_ramp(), roi, np.eye(3), SIZE))
    assert (frame.image[~roi] == 0).all()
    assert np.array_equal(frame.image[roi], grey_ramp()[roi])
