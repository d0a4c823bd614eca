"""Photos of more than 8 bits become the picture that a person would see, or a remark says what was guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from raw_pictures import FLOAT, LONG, SHORT, png, tiff

from andon import images
from andon.errors import ImageError

GREY = np.add.outer(3 * np.arange(40), 2 * np.arange(60)).astype(np.uint8)  # 40 x 60, from 0 to 235
RGB = np.stack([GREY, GREY[::-1], 250 - GREY], axis=2)
LEAST, MOST, SIGNED_LEAST, SIGNED_MOST = 280, 281, 340, 341


def deep(picture: NDArray[np.uint8], white: float, kind: Any = np.uint16) -> NDArray[Any]:
    """The picture as a camera has it whose white is `white`."""
    values = picture / 255 * white
    return (values if np.issubdtype(kind, np.floating) else np.round(values)).astype(kind)


def shown(data: bytes, picture: NDArray[np.uint8], scale: float | None = None) -> tuple[str, ...]:
    """The notes of a file that must show the picture, but for rounding."""
    photo = images.load(data, Path("a"), scale)
    expected = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    assert photo.image.shape == expected.shape
    assert np.abs(photo.image.astype(int) - expected).max() <= 1
    return photo.notes


@pytest.mark.parametrize("picture", [GREY, RGB], ids=["grey", "RGB"])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_white_is_guessed_with_a_remark_unless_the_file_or_a_scale_says_it(
    bits: int, picture: NDArray[np.uint8]
) -> None:
    white = 2**bits - 1
    values = deep(picture, white)
    for data in (png(values), tiff(values), tiff(values, order=">")):
        (note,) = shown(data, picture)
        assert note == f"its values go up to {values.max()}, and it does not say what is white: {white} is assumed"
        assert shown(data, picture, scale=white) == ()
    channels = 1 if picture.ndim == 2 else 3
    assert shown(png(values, sBIT=bytes([bits] * channels)), picture) == ()
    stretched = (values << (16 - bits)).astype(np.uint16)  # by the standard
    assert shown(png(stretched, sBIT=bytes([bits] * channels)), picture) == ()
    assert shown(tiff(values, {MOST: (SHORT, [white])}), picture) == ()
    assert shown(tiff(values, {SIGNED_MOST: (SHORT, [white] * channels)}), picture, scale=65535) == ()
    assert shown(tiff(values, bits=bits), picture) == ()  # 10, 12 and 14 bits packed


@pytest.mark.parametrize("picture", [GREY, RGB], ids=["grey", "RGB"])
@pytest.mark.parametrize(
    ("kind", "white"),
    [(np.uint16, 65535), (np.float32, 1), (np.float32, 255), (np.float64, 1), (np.float64, 255)],
)
def test_what_fills_its_range_needs_no_word(kind: type[Any], white: int, picture: NDArray[np.uint8]) -> None:
    assert shown(tiff(deep(picture, white, kind)), picture) == ()


@pytest.mark.parametrize(
    ("kind", "white"), [(np.int32, 4095), (np.uint32, 4095), (np.int16, 1023), (np.float32, 4095), (np.float32, 4)]
)
def test_other_types_and_ranges_are_read_with_a_remark(kind: type[Any], white: int) -> None:
    (note,) = shown(tiff(deep(RGB, white, kind)), RGB)
    assert note.endswith(f"{white} is assumed")
    assert shown(tiff(deep(GREY, white, kind)), GREY, scale=white) == ()
    both = {SIGNED_LEAST: (FLOAT, [-1000.0]), SIGNED_MOST: (FLOAT, [1000.0])}
    if np.issubdtype(kind, np.signedinteger) or kind is np.float32:
        assert shown(tiff((deep(GREY, 2000, np.float64) - 1000).astype(kind), both), GREY) == ()


def test_fractions_may_leave_their_range_a_little() -> None:
    assert (
        shown(tiff(np.clip(deep(GREY, 1.15, np.float32), 0, 1.05)), np.clip(GREY * 1.15, 0, 255).astype(np.uint8)) == ()
    )


def test_nothing_is_nearly_black_in_silence() -> None:
    dark = deep(GREY, 4095)
    for data, scale in (
        (tiff(dark, {MOST: (LONG, [65535])}), None),
        (png(dark), 65535.0),
        (png(dark, sBIT=b"\x10"), None),
    ):
        (note,) = images.load(data, Path("a"), scale).notes
        assert note == f"nearly black: its values go up to {dark.max()}, while 65535 is white"


def test_what_is_beyond_the_scale_is_said() -> None:
    values = deep(GREY, 4095)
    (note,) = images.load(png(values), Path("a"), 1023.0).notes
    assert note.endswith(f"of its values, up to {values.max()}, are above 1023, which is shown white")
    (note,) = images.load(tiff(values.astype(np.int32) - 100), Path("a"), 4095.0).notes
    assert note.endswith("of its values, down to -100, are below 0, shown black")


def test_one_scale_is_learnt_from_all_photos_that_do_not_state_it(tmp_path: Path) -> None:
    for name, data in {
        "dark.png": png(deep(GREY // 4, 4095)),
        "bright.tif": tiff(deep(GREY, 4095)),
        "stated.tif": tiff(deep(GREY, 65535), {MOST: (LONG, [65535])}),
        "broken.png": png(deep(GREY, 65535))[:200],
    }.items():
        (tmp_path / name).write_bytes(data)
    Image.fromarray(GREY).save(tmp_path / "8.png")
    assert images.learn_scale([tmp_path / "8.png", tmp_path / "stated.tif", tmp_path / "broken.png"]) is None
    assert images.learn_scale(sorted(tmp_path.iterdir())) == 4095
    assert shown(png(deep(GREY // 4, 4095)), GREY // 4, images.learn_scale([tmp_path / "bright.tif"])) == ()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(bad: float) -> None:
    values = deep(GREY, 1, np.float32)
    values[3, 5] = bad
    with pytest.raises(ImageError, match=r"a.tif holds values that are NaN or infinite"):
        images.decode(tiff(values), Path("a.tif"))


def test_a_negative_is_shown_as_a_positive() -> None:
    assert shown(tiff(4095 - deep(GREY, 4095), white_is_0=True), GREY, scale=4095) == ()


def test_alpha_lies_over_white_unless_it_is_0_everywhere() -> None:
    values = deep(RGB, 65535)
    for opaque in (65535, 0):
        alpha = np.full(GREY.shape, opaque, np.uint16)
        assert shown(png(np.dstack([values, alpha])), RGB) == ()
        assert shown(tiff(np.dstack([values, alpha])), RGB) == ()
        assert shown(png(np.dstack([values[:, :, 0], alpha])), GREY) == ()
    half = np.full(GREY.shape, 65535, np.uint16)
    half[:20] = 0
    assert shown(png(np.dstack([values, half])), np.where(half[:, :, None] == 0, 255, RGB).astype(np.uint8)) == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_its_camera_was(orientation: int, tmp_path: Path) -> None:
    picture = Image.fromarray(RGB)
    picture.getexif()[274] = orientation
    upright = np.asarray(ImageOps.exif_transpose(picture))
    values = deep(RGB, 65535)
    for data in (png(values, eXIf=picture.getexif().tobytes()[6:]), tiff(values, {274: (SHORT, [orientation])})):
        assert shown(data, upright) == ()
        (tmp_path / "deep").write_bytes(data)
        assert images.orientation(tmp_path / "deep") == orientation


def test_what_cannot_be_read_at_its_depth_is_refused_and_not_read_wrongly() -> None:
    values = deep(RGB, 65535)
    for data in (
        tiff(values, planes=True),
        tiff(values[:, :, :2]),
        tiff(deep(GREY, 1, np.float16)),
        tiff(values)[:5000],
    ):
        with pytest.raises(ImageError, match=r"^a.tif .*(save it as grey or RGB of 8 or 16 bits|copy the photo again)"):
            images.decode(data, Path("a.tif"))
    with pytest.raises(ImageError, match="is damaged or cut short"):
        images.decode(png(values)[:-300], Path("a.png"))
    with pytest.raises(ImageError, match=r"is 20000 x 15000 pixels, 300 megapixels; the limit is 150"):
        images.decode(tiff(values, {256: (LONG, [20000]), 257: (LONG, [15000])}), Path("a.tif"))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_damaged_deep_photo_is_an_image_error_and_nothing_else() -> None:
    rng, refused = np.random.default_rng(0), 0
    for whole in (
        png(deep(RGB, 65535)),
        tiff(deep(RGB, 4095)),
        tiff(deep(GREY, 1, np.float32)),
        tiff(deep(GREY, 4095), bits=12),
    ):
        for _ in range(100):
            data = bytearray(whole)
            for position in (*rng.integers(0, len(data), 3), *rng.integers(len(data) - 150, len(data), 2)):
                data[position] = rng.integers(256)
            try:
                assert images.decode(bytes(data), Path("photo")).dtype == np.uint8
            except ImageError:
                refused += 1
    assert refused > 50
