"""What holds for every step: it survives every photo, keeps its inputs, and refuses settings that make no sense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from andon import preprocess
from andon.errors import ConfigError, ImageError
from andon.preprocess import Step
from andon.types import Frame, RgbImage

WITH_OUTPUT_SIZE = ("resize", "scale_to_canvas")
MAY_REFUSE = ("object_roi",)


def textured(height: int, width: int) -> RgbImage:
    return np.random.default_rng(1).integers(30, 220, (height, width, 3), dtype=np.uint8)


def frames() -> dict[str, Frame]:
    """Photos on which a step may have little to do."""
    partly = np.zeros((60, 90), bool)
    partly[20:35, 30:80] = True
    return {
        "black": Frame.whole(np.zeros((60, 90, 3), np.uint8)),
        "white": Frame.whole(np.full((60, 90, 3), 255, np.uint8)),
        "tiny": Frame.whole(textured(16, 16)),
        "narrow": Frame.whole(textured(16, 200)),
        "empty ROI": replace(Frame.whole(textured(60, 90)), roi=np.zeros((60, 90), bool)),
        "one pixel": replace(Frame.whole(textured(60, 90)), roi=np.pad([[True]], ((59, 0), (0, 89)))),
        "part": replace(Frame.whole(textured(60, 90)), roi=partly),
    }


@pytest.mark.parametrize("name", preprocess.names())
def test_every_step_survives_every_photo_and_leaves_its_input_alone(name: str) -> None:
    step = preprocess.step_class(name)()
    for what, frame in frames().items():
        image, roi, to_original = frame.image.copy(), frame.roi.copy(), frame.to_original.copy()
        try:
            after = step.fit([frame])(frame)
        except ImageError as refusal:  # a step may refuse a photo, in one sentence
            assert name in MAY_REFUSE and str(refusal).count(".") == 1, what
            after = frame
        assert np.array_equal(frame.image, image), what
        assert np.array_equal(frame.roi, roi), what
        assert np.array_equal(frame.to_original, to_original), what
        assert after.original_size == frame.original_size, what
        assert np.isfinite(after.to_original).all(), what
        if after is not frame:
            assert np.array_equal(after.image, step.fit([frame])(frame).image), what


@pytest.mark.parametrize("name", WITH_OUTPUT_SIZE)
def test_the_output_size_holds_on_every_photo(name: str) -> None:
    step: Step = preprocess.step_class(name)(image_size=64)  # type: ignore[call-arg]
    step = step.fit([Frame.whole(textured(60, 60))])
    assert {step(frame).size for frame in frames().values()} == {(64, 64)}


@pytest.mark.parametrize("name", ["crop_to_roi", "align", "blank_background"])
def test_a_frame_without_a_part_is_left_with_a_note(name: str) -> None:
    frame = frames()["empty ROI"]
    after = preprocess.step_class(name)()(frame)
    assert np.array_equal(after.image, frame.image)
    assert len(after.notes) == 1


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("white_balance", {"max_gain": 1.0}),
        ("specular_highlights", {"threshold": 0}),
        ("specular_highlights", {"threshold": 256}),
        ("specular_highlights", {"radius": 0.0}),
        ("specular_highlights", {"max_area": 0.0}),
        ("clahe", {"clip_limit": 0.0}),
        ("clahe", {"tiles": 0}),
        ("gamma", {"gamma": 0.0}),
        ("unsharp_mask", {"amount": 0.0}),
        ("unsharp_mask", {"sigma": 0.0}),
        ("unsharp_mask", {"sigma": 1000.0}),
        ("otsu_roi", {"parts": "both"}),
        ("otsu_roi", {"min_area": 0.5, "max_area": 0.4}),
        ("otsu_roi", {"min_area": 0.1, "max_area": 1.5}),
        ("otsu_roi", {"min_separation": -1.0}),
        ("crop_to_roi", {"padding": -0.1}),
        ("align", {"tolerance": 0.0}),
        ("scale_to_canvas", {"fill": 0.0}),
        ("scale_to_canvas", {"fill": 1.1}),
        ("scale_to_canvas", {"image_size": 8}),
        ("resize", {"image_size": 100}),
        ("resize", {"image_size": 0}),
        ("resize", {"canvas": (256, 250)}),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_sentence(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as error:
        preprocess.step_class(name)(**settings)
    message = str(error.value)
    assert message.startswith(f"{name}.{next(iter(settings))} is ")
    assert message.endswith(".")
    assert "; " in message
