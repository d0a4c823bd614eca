"""otsu_roi finds drawn parts of known outline on many backgrounds, and says where it cannot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from andon.drawn._shadow_scene import Ground
from andon.drawn._solids import Kind
from andon.drawn.fasteners import draw_fastener
from andon.preprocess.otsu_roi import OtsuRoi
from andon.types import Frame, Mask, RgbImage

SIZE = (180, 260)
Colour = tuple[int, int, int]


def ellipse(centre: tuple[int, int], axes: tuple[int, int], size: tuple[int, int] = SIZE) -> Mask:
    """True within the ellipse; centre (x, y), half axes (x, y)."""
    return cv2.ellipse(np.zeros(size, np.uint8), (centre, (2 * axes[0], 2 * axes[1]), 20), 1, cv2.FILLED) > 0


PART = ellipse((140, 80), (70, 35))


def photo(part: Mask, part_colour: Colour, background: Colour) -> RgbImage:
    """The part on an even background, with a little noise."""
    image = np.empty((*part.shape, 3))
    image[:] = background
    image[part] = part_colour
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def overlap(roi: Mask, truth: Mask) -> float:
    """Intersection over union."""
    return float((roi & truth).sum() / (roi | truth).sum())


@pytest.mark.parametrize(
    ("part_colour", "background"),
    [
        ((60, 60, 65), (245, 245, 245)),
        ((200, 200, 205), (15, 15, 15)),
        ((180, 90, 60), (109, 119, 109)),  # rust on grey of the same brightness: only the colour tells
        ((40, 40, 40), (120, 110, 135)),
    ],
)
def test_finds_the_part_whatever_the_polarity(part_colour: Colour, background: Colour) -> None:
    frame = OtsuRoi()(Frame.whole(photo(PART, part_colour, background)))
    assert overlap(frame.roi, PART) > 0.95
    assert frame.notes == ()


def test_finds_a_part_with_bright_and_dark_faces_as_one() -> None:
    image = photo(PART, (40, 40, 40), (150, 150, 160))
    image[PART & (np.arange(SIZE[1]) > 140)] = (240, 240, 240)
    assert overlap(OtsuRoi()(Frame.whole(image)).roi, PART) > 0.95


@pytest.mark.parametrize("fading", ["to one side", "towards the corners"])
def test_follows_a_background_that_fades(fading: str) -> None:
    y, x = np.meshgrid(np.linspace(-1, 1, SIZE[0]), np.linspace(-1, 1, SIZE[1]), indexing="ij")
    background = 125 + 85 * x if fading == "to one side" else 190 - 80 * (x**2 + y**2)
    image = np.where(PART, 245, background)[:, :, None].repeat(3, axis=2).astype(np.uint8)
    assert overlap(OtsuRoi()(Frame.whole(image)).roi, PART) > 0.93


def test_a_part_may_touch_the_border() -> None:
    part = ellipse((20, 90), (90, 40))
    assert overlap(OtsuRoi()(Frame.whole(photo(part, (90, 80, 70), (240, 240, 240)))).roi, part) > 0.95


def test_a_caption_bar_is_no_part() -> None:
    part = ellipse((140, 80), (40, 14))
    image = photo(part, (120, 110, 100), (240, 240, 240))
    image[-20:] = 0
    assert overlap(OtsuRoi()(Frame.whole(image)).roi, part) > 0.9


def test_a_defect_of_the_backgrounds_colour_stays_inside() -> None:
    image = photo(PART, (60, 60, 65), (240, 240, 240))
    defect = ellipse((150, 80), (15, 10))
    image[defect] = (240, 240, 240)
    assert OtsuRoi()(Frame.whole(image)).roi[defect].all()


def test_a_bore_that_shows_the_background_stays_inside() -> None:
    image = photo(PART, (60, 60, 65), (240, 240, 240))
    image[ellipse((140, 80), (50, 24))] = (240, 240, 240)
    frame = OtsuRoi()(Frame.whole(image))
    assert overlap(frame.roi, PART) > 0.95
    assert frame.notes == ()


def test_a_large_photo_is_outlined_in_its_own_pixels() -> None:
    part = ellipse((900, 500), (500, 200), (1100, 1700))
    frame = OtsuRoi()(Frame.whole(photo(part, (60, 60, 65), (240, 240, 240))))
    assert frame.roi.shape == (1100, 1700)
    assert overlap(frame.roi, part) > 0.97


def test_of_several_parts_the_largest_is_kept_and_the_reader_told() -> None:
    large, small = ellipse((80, 90), (50, 30)), ellipse((200, 90), (30, 25))
    frame = OtsuRoi()(Frame.whole(photo(large | small, (60, 60, 65), (240, 240, 240))))
    assert overlap(frame.roi, large) > 0.95
    assert frame.notes == ("2 parts in the photo: only the largest is used",)


def test_all_parts_can_be_kept_but_not_dirt() -> None:
    large, small, dirt = ellipse((80, 90), (50, 30)), ellipse((200, 90), (30, 25)), ellipse((240, 20), (6, 6))
    frame = OtsuRoi(parts="all")(Frame.whole(photo(large | small | dirt, (60, 60, 65), (240, 240, 240))))
    assert overlap(frame.roi, large | small) > 0.95
    assert not frame.roi[dirt].any()
    assert frame.notes == ()


def test_narrows_the_roi_it_is_given() -> None:
    left_half = np.broadcast_to(np.arange(SIZE[1]) < 140, SIZE)
    image = photo(PART, (60, 60, 65), (240, 240, 240))
    frame = Frame(image, left_half.copy(), np.eye(3), SIZE)
    assert overlap(OtsuRoi()(frame).roi, PART & left_half) > 0.95


def clutter() -> RgbImage:
    """Patches of many colours up to the border."""
    patches = np.random.default_rng(3).integers(0, 255, (9, 13, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(patches, SIZE[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        photo(np.zeros(SIZE, bool), (0, 0, 0), (128, 120, 110)),
        np.full((*SIZE, 3), 77, np.uint8),
        photo(ellipse((130, 90), (4, 4)), (0, 0, 0), (240, 240, 240)),
        clutter(),
    ],
    ids=["noise", "even", "a speck", "clutter"],
)
def test_says_when_no_part_was_found_and_uses_the_whole_photo(image: RgbImage) -> None:
    frame = OtsuRoi()(Frame.whole(image))
    assert frame.roi.all()
    assert len(frame.notes) == 1
    assert frame.notes[0].endswith("the whole photo is used")


def test_says_when_nearly_everything_would_be_the_part() -> None:
    frame = OtsuRoi(max_area=0.1)(Frame.whole(photo(PART, (60, 60, 65), (240, 240, 240))))
    assert frame.roi.all()
    assert frame.notes == ("no part was found: the whole photo is used",)


def filled(part: Mask) -> Mask:
    """The part with its bore."""
    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(part.shape, np.uint8), outlines, -1, 1, cv2.FILLED) > 0


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize(("kind", "side", "least"), [("nut", 0, 0.85), ("bolt", 120, 0.85), ("screw", 240, 0.7)])
def test_a_soft_shadow_stays_outside(ground: Ground, kind: Kind, side: float, least: float) -> None:
    rng = np.random.default_rng(round(side))
    image, part, _ = draw_fastener(rng, kind=kind, defect=None, ground=ground, lamp_side=side)
    assert overlap(OtsuRoi()(Frame.whole(image)).roi, filled(part)) > least


def ellipses(sizes: list[int]) -> list[Frame]:
    return [Frame.whole(photo(ellipse((130, 90), (size, size // 2)), (60, 60, 65), (240, 240, 240))) for size in sizes]


def test_an_outline_unlike_those_of_the_ok_photos_is_not_trusted() -> None:
    step = OtsuRoi().fit(ellipses([68, 70, 72, 70, 69]))
    usual, small = (step(frame) for frame in ellipses([71, 25]))
    assert not usual.roi.all() and usual.notes == ()
    assert small.roi.all()
    assert small.notes == ("the outline that was found is unlike those of the OK photos: the whole photo is used",)
    assert not OtsuRoi()(ellipses([25])[0]).roi.all()


def test_where_most_ok_photos_show_no_part_none_is_masked_and_the_user_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    part, whole = ellipses([70])[0], Frame.whole(clutter())
    step = OtsuRoi().fit([whole, part, whole])
    assert step(part).roi.all()
    assert "in only 1 of 3 OK photos: the whole photo is used in all" in caplog.text
    assert not OtsuRoi().fit([part, whole, part])(part).roi.all()


def test_what_was_settled_stays() -> None:
    step = OtsuRoi().fit(ellipses([70, 71]))
    assert step.fit(ellipses([30, 31])) == step


def test_a_faint_outline_is_trusted_once_it_is_like_those_of_the_ok_photos() -> None:
    clear, faint = ellipses([70])[0], Frame.whole(half_faded())
    assert OtsuRoi()(faint).roi.all()
    assert overlap(OtsuRoi().fit([clear, clear])(faint).roi, ellipse((130, 90), (70, 35))) > 0.9


def half_faded() -> RgbImage:
    """The ellipse on a background of faint stripes."""
    image = ellipses([70])[0].image.astype(float)
    lines = 25 * (np.arange(SIZE[1]) // 20 % 2)[None, :, None]
    background = ~ellipse((130, 90), (74, 39))[:, :, None]
    return np.clip(image - lines * background, 0, 255).astype(np.uint8)
