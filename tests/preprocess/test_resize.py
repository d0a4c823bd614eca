"""resize keeps every photo's shape: sides are multiples of 16, padding is outside the ROI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from andon.preprocess.resize import Resize
from andon.types import Frame

sides = st.integers(16, 400)


def frame_of(height: int, width: int) -> Frame:
    return Frame.whole(np.full((height, width, 3), 90, np.uint8))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(height=sides, width=sides, canvas_height=st.integers(4, 20), canvas_width=st.integers(4, 20))
def test_a_photo_fits_the_canvas_unsqueezed(height: int, width: int, canvas_height: int, canvas_width: int) -> None:
    canvas = 16 * canvas_height, 16 * canvas_width
    frame = Resize(canvas=canvas)(frame_of(height, width))
    assert frame.size == canvas

    scale_x, scale_y = frame.to_original[0, 0], frame.to_original[1, 1]
    squeeze = scale_x / scale_y
    rounding_of_the_canvas = 1 + 8.5 / (min(canvas) - 8.5)
    rounding_to_pixels = 1 + 1 / (2 * min(frame.roi.any(axis=0).sum(), frame.roi.any(axis=1).sum()) - 1)
    assert 1 / squeeze < max(rounding_of_the_canvas, rounding_to_pixels) + 1e-9
    assert squeeze < max(rounding_of_the_canvas, rounding_to_pixels) + 1e-9

    y, x = np.mgrid[: canvas[0], : canvas[1]]
    original = np.stack([x, y, np.ones_like(x)], axis=-1) @ frame.to_original.T
    on_the_photo = (np.abs(original[..., 0] * 2 + 1 - width) < width) & (
        np.abs(original[..., 1] * 2 + 1 - height) < height
    )
    assert np.array_equal(frame.roi, on_the_photo)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(height=sides, width=sides)
def test_a_photo_of_the_ok_photos_shape_needs_no_padding(height: int, width: int) -> None:
    step = Resize(image_size=64).fit([frame_of(height, width)])
    assert step.canvas is not None
    assert all(side % 16 == 0 for side in step.canvas)
    assert min(step.canvas) == 64
    if max(height / width, width / height) <= 8:
        assert step(frame_of(height, width)).roi.all()


def test_fit_settles_the_median_shape_and_keeps_no_photo() -> None:
    def photos() -> Iterator[Frame]:
        yield from (frame_of(100, 100), frame_of(100, 150), frame_of(200, 300), frame_of(90, 40))

    step = Resize(image_size=128).fit(photos())
    assert step == Resize(image_size=128, canvas=(128, 160))
    assert Resize(image_size=128).fit([frame_of(300, 100)]).canvas == (384, 128)


def test_a_canvas_that_is_set_stays() -> None:
    step = Resize(canvas=(256, 384))
    assert step.fit([frame_of(100, 100)]) == step


def test_a_step_that_was_never_fitted_keeps_each_photos_shape() -> None:
    assert Resize(image_size=64)(frame_of(50, 100)).size == (64, 128)
    assert Resize(image_size=64)(frame_of(100, 50)).size == (128, 64)


def test_padding_repeats_the_edge_and_lies_outside_the_roi() -> None:
    frame = Resize(image_size=64, canvas=(64, 64))(frame_of(40, 80))
    assert frame.roi.sum() == 32 * 64
    assert frame.roi[16:48].all()
    assert (frame.image == 90).all()


def test_a_roi_that_was_narrowed_moves_along() -> None:
    roi = np.zeros((40, 80), bool)
    roi[:20, :40] = True
    frame = Resize(image_size=80, canvas=(80, 160))(replace(frame_of(40, 80), roi=roi))
    assert frame.roi[:40, :80].all()
    assert frame.roi.sum() == 40 * 80


@pytest.mark.parametrize("height", [16, 5000])
def test_a_very_long_photo_does_not_make_an_endless_canvas(height: int) -> None:
    width = 5016 - height
    assert max(Resize(image_size=64)(frame_of(height, width)).size) == 8 * 64


@pytest.mark.parametrize(
    ("sizes", "canvas"),
    [
        ([(900, 900)], (384, 384)),
        ([(600, 1200)], (384, 768)),
        ([(300, 300)], (288, 288)),  # never enlarged, in steps of 16
        ([(100, 200), (100, 200), (2000, 4000)], (96, 192)),
        ([(18, 18)], (16, 16)),
    ],
)
def test_auto_is_384_pixels_on_the_short_side_or_what_the_photos_have(
    sizes: list[tuple[int, int]], canvas: tuple[int, int]
) -> None:
    assert Resize().fit([frame_of(*size) for size in sizes]).canvas == canvas
    assert Resize(image_size=256).fit([frame_of(18, 18)]).canvas == (256, 256)
