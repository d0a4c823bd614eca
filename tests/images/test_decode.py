"""Photos of every kind that a factory has, and files that are none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from andon import images
from andon.errors import ImageError
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


@pytest.mark.parametrize("suffix", sorted(images.SUFFIXES))
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "Prüfling 1" / f"photo{suffix}"
    images.write(path, mosaic())
    read = images.read(path)
    assert read.shape == (40, 60, 3) and read.dtype == np.uint8
    centres = read[10::20, 10::20].astype(int)
    assert np.abs(centres - COLOURS).max() <= (0 if suffix in (".png", ".bmp", ".tif", ".tiff") else 12)


def test_a_16_bit_photo_becomes_8_bit(tmp_path: Path) -> None:
    grey = np.full((20, 30), 0, np.uint16)
    grey[:, 10:20], grey[:, 20:] = 257 * 200, 65535
    read = images.read(saved(Image.fromarray(grey), tmp_path / "16.png"))
    assert read[0, ::10].tolist() == [[0] * 3, [200] * 3, [255] * 3]


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
        ("text.jpg", b"This is no photo.", "is not a photo that Andon can read; expected one of .bmp"),
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
    with pytest.raises(ImageError, match=r"cannot be opened \(Is a directory"):
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
            images.check_array(wrong)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="The array is 60 x 8 pixels"):
        images.check_array(mosaic()[:8])


def test_a_mask_is_true_wherever_it_is_not_black(tmp_path: Path) -> None:
    grey = np.zeros((20, 30), np.uint8)
    grey[5:9, 3:20] = 1
    assert np.array_equal(images.read_mask(saved(Image.fromarray(grey), tmp_path / "mask.png")), grey > 0)


def test_photos_are_listed_by_name_without_hidden_files_and_others(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpeg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in images.list_images(tmp_path)] == ["a.jpeg", "b.PNG"]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match=r"cannot be written .*; choose a folder that you may write to"):
        images.write(tmp_path / "file" / "photo.png", mosaic())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16", "LA", "RGBA"])
def test_mask_is_whatever_is_neither_black_nor_transparent(tmp_path: Path, mode: str) -> None:
    truth = np.zeros((20, 30), dtype=bool)
    truth[4:9, 10:25] = True
    ones = truth.astype(np.uint8)  # 1, not 255: as some tools write masks
    pictures = {
        "1": Image.fromarray(truth),
        "L": Image.fromarray(ones),
        "P": _palette(ones),
        "RGB": Image.fromarray(np.repeat(ones[:, :, None], 3, axis=2)),
        "I;16": Image.fromarray(ones.astype(np.uint16)),
        "LA": Image.merge("LA", [Image.new("L", (30, 20), 200), Image.fromarray(ones * 255)]),
        "RGBA": Image.merge("RGBA", [*[Image.new("L", (30, 20), 200)] * 3, Image.fromarray(ones * 255)]),
    }
    pictures[mode].save(tmp_path / "mask.png")
    np.testing.assert_array_equal(images.read_mask(tmp_path / "mask.png"), truth)


def _palette(indices: NDArray[np.uint8]) -> Image.Image:
    """Index 0 black, index 1 red."""
    picture = Image.fromarray(indices).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0])
    return picture
