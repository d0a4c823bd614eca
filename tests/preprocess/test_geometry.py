"""align, crop_to_roi and scale_to_canvas on drawn parts of known pose; `to_original` leads every pixel back."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from andon import preprocess
from andon.preprocess.align import Align
from andon.preprocess.blank_background import BlankBackground
from andon.preprocess.crop_to_roi import CropToRoi
from andon.preprocess.scale_to_canvas import ScaleToCanvas
from andon.types import Frame, Mask

SIZE = (300, 420)
CENTRE = (190.0, 160.0)
BOLT = np.array([[-90, -40], [-55, -40], [-55, -18], [90, -18], [90, 18], [-55, 18], [-55, 40], [-90, 40]])
HEXAGON = 80 * np.array([[np.cos(a), np.sin(a)] for a in np.arange(6) * np.pi / 3])
SQUARE = np.array([[-60, -60], [60, -60], [60, 60], [-60, 60]])
TRIANGLE = 90 * np.array([[np.cos(a), np.sin(a)] for a in np.arange(3) * 2 * np.pi / 3])
ROUNDISH = np.array([[80 * np.cos(a), 60 * np.sin(a)] for a in np.arange(0, 6.28, 0.1)])
ROD = np.array([[-90, -15], [90, -15], [90, 15], [-90, 15]])
FASTENER_STEPS = (
    "white_balance",
    "specular_highlights",
    "clahe",
    "otsu_roi",
    "crop_to_roi",
    "align",
    "scale_to_canvas",
    "blank_background",
)


def draw(polygon: NDArray[np.float64], degrees: float) -> Frame:
    """The polygon about CENTRE, turned clockwise as seen, dark grey on light grey; it is the ROI."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    corners = polygon @ np.array([[cosine, sine], [-sine, cosine]]) + CENTRE
    part = cv2.fillPoly(np.zeros(SIZE, np.uint8), [np.round(corners * 16).astype(np.int32)], 1, shift=4) > 0
    image = np.where(part[:, :, None], np.uint8(70), np.uint8(225)).repeat(3, axis=2)
    return Frame(np.ascontiguousarray(image), part, np.eye(3), SIZE)


def canonical(frame: Frame) -> Mask:
    """The aligned part on one canvas."""
    return ScaleToCanvas(image_size=128)(Align()(frame)).roi


def overlap(a: Mask, b: Mask) -> float:
    """Intersection over union."""
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("degrees", [25, 90, 137, 180, 205, 270, 359])
def test_a_bolt_comes_to_lie_the_same_way_however_it_was_turned(degrees: float) -> None:
    assert overlap(canonical(draw(BOLT, degrees)), canonical(draw(BOLT, 0))) > 0.9


def test_the_bolts_head_lies_left() -> None:
    roi = canonical(draw(BOLT, 200))
    heights = roi.sum(axis=0)[roi.any(axis=0)]
    assert heights[5] > 1.8 * heights[-6]
    assert len(heights) > 1.8 * heights.max()


@pytest.mark.parametrize("degrees", [10, 70, -20, 29, 130, 241])
def test_a_hexagon_is_turned_within_its_60_degree_domain(degrees: float) -> None:
    roi = canonical(draw(HEXAGON, degrees))
    assert overlap(roi, canonical(draw(HEXAGON, 0))) > 0.95
    assert roi.any(axis=0).sum() / roi.any(axis=1).sum() == pytest.approx(2 / np.sqrt(3), abs=0.04)


def test_a_hexagon_is_turned_by_no_more_than_30_degrees() -> None:
    turned = Align()(draw(HEXAGON, 70)).to_original
    assert np.degrees(np.arctan2(turned[1, 0], turned[0, 0])) == pytest.approx(10, abs=1)


def test_a_nut_is_aligned_by_its_outline_not_by_its_bore() -> None:
    frame = draw(HEXAGON, 40)
    bored = frame.roi & (cv2.circle(np.zeros(SIZE, np.uint8), (215, 150), 30, 1, cv2.FILLED) == 0)
    nut = Frame(frame.image, bored, np.eye(3), SIZE)
    assert np.allclose(Align()(nut).to_original, Align()(frame).to_original)


def test_a_part_without_a_direction_is_left_and_the_reader_told() -> None:
    disc = 70 * np.array([[np.cos(a), np.sin(a)] for a in np.arange(180) * np.pi / 90])
    for polygon in (SQUARE, TRIANGLE, disc):
        frame = draw(polygon, 20)
        aligned = Align()(frame)
        assert aligned.notes == ("the part is as wide as it is long and not a hexagon: not aligned",)
        assert np.array_equal(aligned.image, frame.image)


def test_two_ends_alike_are_noted() -> None:
    assert Align()(draw(ROD, 30)).notes == ("the part's two ends look alike: it may lie turned by 180 degrees",)


def test_separate_parts_are_not_turned() -> None:
    frame = draw(ROD, 30)
    frame.roi[:20, :20] = True
    assert Align()(frame).notes == ("2 separate parts: not aligned",)


def test_no_black_wedges_enter_beside_the_turned_photo() -> None:
    assert Align()(draw(BOLT, 33)).image.min() >= 70


def test_crop_leaves_a_tenth_of_the_longer_side_around_the_part() -> None:
    roi = np.zeros(SIZE, bool)
    roi[100:150, 200:300] = True
    frame = CropToRoi()(Frame(np.zeros((*SIZE, 3), np.uint8), roi, np.eye(3), SIZE))
    assert frame.size == (70, 120)
    assert frame.to_original[:2, 2].tolist() == [190, 90]


def test_crop_stops_at_the_photos_border() -> None:
    roi = np.zeros(SIZE, bool)
    roi[0:50, 320:420] = True
    frame = CropToRoi()(Frame(np.zeros((*SIZE, 3), np.uint8), roi, np.eye(3), SIZE))
    assert frame.size == (60, 110)


@pytest.mark.parametrize("degrees", [0, 90])
def test_the_part_fills_its_share_of_the_canvas_in_the_middle(degrees: float) -> None:
    frame = ScaleToCanvas(image_size=200, fill=0.7)(draw(BOLT, degrees))
    rows, columns = np.flatnonzero(frame.roi.any(axis=1)), np.flatnonzero(frame.roi.any(axis=0))
    assert frame.size == (200, 200)
    assert max(len(rows), len(columns)) == pytest.approx(140, abs=2)
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(99.5, abs=2)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(99.5, abs=2)


def test_a_photo_without_a_known_part_fills_the_canvas_unsqueezed() -> None:
    frame = ScaleToCanvas(image_size=84)(Frame.whole(np.full((*SIZE, 3), 50, np.uint8)))
    assert frame.size == (84, 84)
    assert frame.roi.any(axis=0).all()
    assert frame.roi.any(axis=1).sum() == pytest.approx(84 * 300 / 420, abs=1)


def test_a_part_of_a_few_pixels_is_noted() -> None:
    roi = np.zeros(SIZE, bool)
    roi[100:110, 200:230] = True
    frame = Frame(np.zeros((*SIZE, 3), np.uint8), roi, np.eye(3), SIZE)
    assert ScaleToCanvas()(frame).notes == ("the part is only 30 pixels long: too small to be judged well",)
    assert ScaleToCanvas(image_size=128)(frame).notes == ()


def red_dot_of(frame: Frame) -> NDArray[np.float64]:
    """Centre (x, y) of the red dot, in the photo file's pixels."""
    red, green, blue = (frame.image[:, :, channel].astype(int) for channel in range(3))
    rows, columns = np.nonzero(red - np.maximum(green, blue) > 60)
    position = frame.to_original @ (columns.mean(), rows.mean(), 1)
    return position[:2] / position[2]


@pytest.mark.parametrize(
    "steps",
    [("align",), ("crop_to_roi",), ("scale_to_canvas",), ("resize",), ("align", "resize"), FASTENER_STEPS],
    ids=lambda steps: " ".join(steps) if len(steps) < 3 else "all",
)
@pytest.mark.parametrize("degrees", [0, 57, 201])
def test_every_pixel_finds_its_way_back_to_the_photo(steps: tuple[str, ...], degrees: float) -> None:
    drawn = draw(BOLT, degrees)
    dot = CENTRE[0] + 50 * np.cos(np.radians(degrees)), CENTRE[1] + 50 * np.sin(np.radians(degrees))
    centre = round(dot[0]), round(dot[1])
    cv2.circle(drawn.image, centre, 6, (230, 20, 20), cv2.FILLED)
    frame = drawn if "otsu_roi" not in steps else Frame.whole(drawn.image)
    for name in steps:
        frame = preprocess.step_class(name)()(frame)
    assert np.abs(red_dot_of(frame) - centre).max() < 0.6
    assert frame.original_size == SIZE


def test_where_no_ok_photo_shows_a_part_the_canvas_has_the_photos_shape() -> None:
    whole, part = Frame.whole(np.zeros((60, 90, 3), np.uint8)), Frame.whole(np.zeros((60, 90, 3), np.uint8))
    part.roi[:, :45] = False
    assert ScaleToCanvas(image_size=64).fit([whole, whole])(whole).size == (64, 96)
    assert ScaleToCanvas(image_size=64).fit([whole, part])(whole).size == (64, 64)


def test_the_hull_and_a_margin_keep_the_background_beside_a_ragged_outline() -> None:
    roi = np.zeros((100, 120), bool)
    roi[40:60, 40:80] = True
    roi[40:50, 55:65] = False
    frame = replace(Frame.whole(np.full((100, 120, 3), 200, np.uint8)), roi=roi)
    assert np.array_equal(BlankBackground()(frame).roi, roi)
    after = BlankBackground(convex=True, margin=0.1)(frame)
    assert after.roi[45, 60] and after.roi[31, 60] and not after.roi[28, 60]
    assert np.array_equal(after.image[:, :, 0] == 200, after.roi)


def test_align_turns_only_where_that_makes_the_ok_photos_more_alike(caplog: pytest.LogCaptureFixture) -> None:
    lying_anyhow = [draw(BOLT, degrees) for degrees in (10, 75, 150, 230)]
    assert Align().fit(lying_anyhow).aligns
    assert not caplog.text

    stripes = np.where(np.arange(SIZE[1]) // 40 % 2, np.uint8(40), np.uint8(220))
    image = np.broadcast_to(stripes[None, :, None], (*SIZE, 3)).copy()
    in_a_jig = [Frame(image, draw(ROUNDISH, degrees).roi, np.eye(3), SIZE) for degrees in (0, 40, 80, 120)]
    step = Align().fit(in_a_jig)
    assert step(in_a_jig[1]) is in_a_jig[1]
    assert "does not make the OK photos more alike" in caplog.text
