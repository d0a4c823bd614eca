"""Photos of every kind that a factory has, and files that are none."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from andon import images
from andon.errors import ImageError
from andon.images import files, formats
from andon.images.formats import ENDINGS
from andon.types import RgbImage

COLOURS = np.array([[[255, 0, 0], [0, 200, 0], [0, 0, 150]], [[255, 255, 255], [10, 20, 30], [90, 60, 200]]], np.uint8)


def mosaic() -> RgbImage:
    """40 x 60 pixels, six fields of known colours."""
    return np.kron(COLOURS, np.ones((20, 20, 1), np.uint8))


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def encoded(format: str, **options: Any) -> bytes:
    data = io.BytesIO()
    Image.fromarray(mosaic()).save(data, format, **options)
    return data.getvalue()


@pytest.mark.parametrize(("format", "suffix"), [(kind, end) for kind, ends in ENDINGS.items() for end in ends])
def test_a_photo_is_read_by_what_it_is(tmp_path: Path, format: str, suffix: str) -> None:
    data = encoded(format)
    (tmp_path / f"Prüfling{suffix.upper()}").write_bytes(data)
    read = images.read(tmp_path / f"Prüfling{suffix.upper()}")
    assert read.shape == (40, 60, 3) and read.dtype == np.uint8
    centres = read[10::20, 10::20].astype(int)
    assert np.abs(centres - COLOURS).max() <= (12 if format in ("JPEG", "WEBP", "HEIF") else 0)
    assert images.load(data, Path(f"a{suffix.upper()}")).notes == images.load(data, Path("a")).notes == ()
    assert images.load(data, Path("a.exe")).notes == (f"a {format} file, although its name ends in .exe",)
    assert np.array_equal(images.decode(data, Path("a.exe")), read)


def test_a_grey_photo_has_three_equal_channels(tmp_path: Path) -> None:
    grey = np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8)
    read = images.read(saved(Image.fromarray(grey), tmp_path / "grey.png"))
    assert np.array_equal(read, np.repeat(grey[:, :, None], 3, axis=2))


def test_what_is_transparent_lies_over_white(tmp_path: Path) -> None:
    rgba = np.dstack([np.full((20, 30, 3), 100, np.uint8), np.zeros((20, 30), np.uint8)])
    rgba[:, 15:, 3] = 255
    read = images.read(saved(Image.fromarray(rgba), tmp_path / "alpha.png"))
    assert read[0, 0].tolist() == [255] * 3
    assert read[0, 29].tolist() == [100] * 3


@pytest.mark.parametrize("mode", ["P", "CMYK", "L", "1", "LA"])
def test_every_colour_mode_is_read_as_rgb(tmp_path: Path, mode: str) -> None:
    flat = Image.new("RGB", (30, 20), (255, 255, 255)).convert(mode)
    read = images.read(saved(flat, tmp_path / "photo.tif"))
    assert read.shape == (20, 30, 3)
    assert (read == 255).all()


def test_cmyk_keeps_its_colours(tmp_path: Path) -> None:
    read = images.read(saved(Image.fromarray(mosaic()).convert("CMYK"), tmp_path / "photo.jpg", quality=95))
    assert np.abs(read[10::20, 10::20].astype(int) - COLOURS).max() < 25


def test_a_photo_is_turned_as_its_exif_data_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # the camera was held upright: turn clockwise
    path = saved(Image.fromarray(mosaic()), tmp_path / "turned.png", exif=exif)
    assert np.array_equal(images.read(path), np.rot90(mosaic(), -1))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.jpg", b"", "is empty"),
        ("text.jpg", b"This is no photo.", "is not a photo that Andon can read; expected .jpg, .png"),
        ("part.jpg", b"%!PS-Adobe-3.0 EPSF-3.0", "is a PostScript page, which Andon does not read; expected"),
        ("page.png", b"  <!DOCTYPE html><html>", "is an HTML page, which"),
        ("a.png", b"P6 60 40 255\n" + bytes(7200), "is a Netpbm picture, which"),
        ("cut.jpg", encoded("JPEG")[:400], "is damaged or cut short"),
        ("cut.png", encoded("PNG")[:60], "is damaged or cut short"),
        ("tiny.png", None, "is 1 x 1 pixels; at least 16 x 16 are needed"),
        ("narrow.png", None, "is 1000 x 15 pixels; at least 16 x 16 are needed"),
    ],
)
def test_what_is_no_photo_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None, why: str) -> None:
    path = tmp_path / name
    if content is None:
        size = (1, 1) if name == "tiny.png" else (1000, 15)
        Image.new("RGB", size).save(path)
    else:
        path.write_bytes(content)
    with pytest.raises(ImageError) as error:
        images.read(path)
    assert str(error.value).startswith(str(path))
    assert why in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot be opened \(No such file"):
        images.read(tmp_path / "gone.jpg")
    with pytest.raises(ImageError, match="is a folder, not a file"):
        images.read(tmp_path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(15000, 10001), (20000, 15000)])
def test_a_photo_beyond_the_limit_is_refused_before_it_is_decoded(size: tuple[int, int], tmp_path: Path) -> None:
    header = bytearray(encoded("BMP"))
    header[18:26] = b"".join(side.to_bytes(4, "little") for side in size)
    with pytest.raises(ImageError, match=r"megapixels.*limit.*reduce the photo"):
        images.decode(bytes(header), tmp_path / "huge.bmp")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_damaged_photo_is_an_image_error_and_nothing_else(format: str) -> None:
    rng, whole = np.random.default_rng(0), encoded(format)
    refused = 0
    for _ in range(150):
        data = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.3 else whole)
        for position in rng.integers(0, len(data), 3):
            data[position] = rng.integers(256)
        try:
            assert images.decode(bytes(data), Path("photo")).dtype == np.uint8
        except ImageError:
            refused += 1
    assert refused > 20


def test_an_array_must_be_an_rgb_photo() -> None:
    assert images.check_array(mosaic()) is not None
    for wrong in (mosaic()[:, :, 0], mosaic().astype(np.float32), np.zeros((40, 60, 4), np.uint8)):
        with pytest.raises(ImageError, match=r"expected an RGB photo \(H, W, 3\) uint8"):
            images.check_array(wrong)
    with pytest.raises(ImageError, match="The array is 60 x 8 pixels"):
        images.check_array(mosaic()[:8])


def test_alpha_that_is_0_everywhere_is_none(tmp_path: Path) -> None:
    """Many cameras leave the fourth byte of a pixel empty."""
    rgba = np.dstack([mosaic(), np.zeros((40, 60), np.uint8)])
    assert np.array_equal(images.read(saved(Image.fromarray(rgba), tmp_path / "a.png")), mosaic())
    grey = Image.merge("LA", [Image.new("L", (60, 40), 77), Image.new("L", (60, 40), 0)])
    assert (images.read(saved(grey, tmp_path / "la.png")) == 77).all()
    header = struct.pack("<IiiHHIIiiII", 108, 60, 40, 1, 32, 3, 9600, 2835, 2835, 0, 0)
    header += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    pixels = np.ascontiguousarray(rgba[::-1, :, [2, 1, 0, 3]]).tobytes()
    data = b"BM" + struct.pack("<IHHI", 122 + len(pixels), 0, 0, 122) + header + pixels
    assert np.array_equal(images.decode(data, Path("a.bmp")), mosaic())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_all_eight_ways_to_hold_a_camera(tmp_path: Path, format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / f"turned{ENDINGS[format][0]}"
    Image.fromarray(mosaic()).save(path, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(path))
    assert np.array_equal(images.read(path), np.asarray(expected.convert("RGB")))
    assert images.orientation(path) == orientation


def test_damaged_exif_data_costs_a_remark_and_not_the_photo() -> None:
    photo = images.load(encoded("PNG", exif=b"no TIFF at all"), Path("a.png"))
    assert photo.image.shape == (40, 60, 3)
    assert photo.notes == ("its EXIF data is damaged, so it may not be upright",)


@pytest.mark.parametrize("format", ["TIFF", "GIF", "WEBP", "PNG"])
def test_of_several_pictures_the_first_is_read_with_a_remark(format: str) -> None:
    others = [Image.fromarray(np.roll(mosaic(), 20 * shift, axis=1)) for shift in (1, 2)]
    photo = images.load(encoded(format, save_all=True, append_images=others), Path("a"))
    assert np.abs(photo.image[10::20, 10::20].astype(int) - COLOURS).max() <= 12
    assert photo.notes == ("the first of several pictures in its file; the others are not inspected",)


def test_what_a_phone_puts_behind_its_photo_is_no_page() -> None:
    data = encoded("MPO", save_all=True, append_images=[Image.new("RGB", (30, 20))])
    photo = images.load(data, Path("a.jpg"))
    assert photo.image.shape == (40, 60, 3) and photo.notes == ()


@pytest.mark.parametrize("kind", ["iTXt", "zTXt", "tEXt"])
def test_a_png_with_much_text_is_sound(kind: str) -> None:
    text, much = PngImagePlugin.PngInfo(), "A" * 3_000_000
    text.add_itxt("XML:com.adobe.xmp", much, zip=True) if kind == "iTXt" else text.add_text("k", much, kind == "zTXt")
    assert np.array_equal(images.decode(encoded("PNG", pnginfo=text), Path("a.png")), mosaic())


def test_a_heic_photo_is_called_one_and_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    heic = bytes(3) + b"$ftypheic" + bytes(4) + b"mif1heic" + bytes(500)
    monkeypatch.setattr(formats, "ENDINGS", {kind: ends for kind, ends in ENDINGS.items() if kind != "HEIF"})
    monkeypatch.setattr("andon.images.pillow.HAS_HEIF", False)
    formats.decoders.cache_clear()
    with pytest.raises(ImageError, match=r"a.jpg is a HEIC photo, .*: pip install 'andon\[heic\]', or save it as JPEG"):
        images.decode(heic, Path("a.jpg"))
    formats.decoders.cache_clear()


@pytest.mark.parametrize("what", ["a named pipe", "a device", "a socket"])
def test_only_files_are_opened(tmp_path: Path, what: str) -> None:
    path = tmp_path / "photo.png"
    if what == "a named pipe":
        os.mkfifo(path)
    elif what == "a device":
        path.symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(tmp_path):
            bound.bind(path.name)
    with pytest.raises(ImageError, match=f"photo.png is {what}, not a file; give a photo's file"):
        images.read(path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.tif").open("wb") as file:
        file.truncate(6 * 10**9)
    with pytest.raises(ImageError, match=r"huge.tif has 6.0 GB, but a photo may have 1 GB at most; save it smaller"):
        images.read(tmp_path / "huge.tif")


def test_a_file_that_grows_while_it_is_read_is_read_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = files._check

    def check_and_grow(found: os.stat_result, path: Path) -> None:
        check(found, path)
        with path.open("ab") as file:
            file.write(bytes(400))

    monkeypatch.setattr(files, "_check", check_and_grow)  # before it is opened, and before it is read
    (tmp_path / "a.png").write_bytes(bytes(200))
    assert len(images.read_bytes(tmp_path / "a.png")) == 1000
    (tmp_path / "a.png").write_bytes(bytes(200))
    monkeypatch.setattr(files, "MAX_BYTES", 900)
    with pytest.raises(ImageError, match="has more than"):
        images.read_bytes(tmp_path / "a.png")
