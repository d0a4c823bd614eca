"""Photos that need not go by Pillow have the same pixels as by Pillow, and the same faults."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from andon import images
from andon.errors import ImageError
from andon.images import quick
from andon.images.pillow import open_header
from andon.types import RgbImage

Chunk = tuple[bytes, bytes]
PATH = Path("photo")


def picture(height: int = 45, width: int = 70, seed: int = 0) -> RgbImage:
    """Soft fields of colour with noise on them."""
    rng = np.random.default_rng(seed)
    fields = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(fields + rng.normal(0, 4, fields.shape), 0, 255), np.uint8)


def encoded(format: str, mode: str = "RGB", **options: Any) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture()).convert(mode).save(data, format, **options)
    return data.getvalue()


def text(key: str, value: str, *, kind: str = "tEXt") -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text(key, value) if kind == "tEXt" else info.add_itxt(key, value)
    return info


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def by_pillow(data: bytes, monkeypatch: pytest.MonkeyPatch) -> images.Photo | str:
    """The photo as Pillow alone reads it, or the sentence with which it is refused."""
    with monkeypatch.context() as context:
        context.setattr(quick, "MAX_PIXELS", 0)
        return read(data)


def read(data: bytes) -> images.Photo | str:
    try:
        return images.load(data, PATH)
    except ImageError as error:
        return str(error)


def same(photo: images.Photo | str, other: images.Photo | str) -> bool:
    if isinstance(photo, str) or isinstance(other, str):
        return photo == other
    return np.array_equal(photo.image, other.image) and photo.notes == other.notes


def is_quick(data: bytes) -> bool:
    return quick.decode_quickly(data, open_header(data)) is not None


@pytest.mark.parametrize(
    "filter", [cv2.IMWRITE_PNG_FILTER_SUB, cv2.IMWRITE_PNG_FILTER_PAETH, cv2.IMWRITE_PNG_ALL_FILTERS]
)
def test_a_plain_png_has_the_pixels_that_were_written(filter: int) -> None:
    data = cv2.imencode(".png", picture()[:, :, ::-1], [cv2.IMWRITE_PNG_FILTER, filter])[1].tobytes()
    assert is_quick(data)
    assert np.array_equal(images.decode(data, PATH), picture())


def test_a_grey_png_has_three_equal_channels() -> None:
    data, grey = encoded("PNG", "L"), np.asarray(Image.fromarray(picture()).convert("L"))
    assert is_quick(data)
    assert np.array_equal(images.decode(data, PATH), np.dstack([grey] * 3))


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0, "quality": 95},
        {"subsampling": 1, "optimize": True},
        {"subsampling": 2, "progressive": True},
        {"restart_marker_blocks": 3, "dpi": (300, 300)},
        {"mode": "L"},
        {"exif": turned(6)},
        {"keep_rgb": True},
    ],
)
def test_a_jpeg_has_the_pixels_that_pillow_gives(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded("JPEG", **options)
    assert is_quick(data)
    assert same(read(data), by_pillow(data, monkeypatch))


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {"mode": "RGBA"}),
        ("PNG", {"mode": "P"}),
        ("PNG", {"mode": "1"}),
        ("PNG", {"transparency": (1, 2, 3)}),
        ("PNG", {"exif": turned(6)}),
        ("PNG", {"pnginfo": text("Raw profile type exif", "\nexif\n0\n")}),
        ("PNG", {"pnginfo": text("XML:com.adobe.xmp", '<tiff:Orientation="6"/>')}),
        ("PNG", {"pnginfo": text("XML:com.adobe.xmp", '<tiff:Orientation="6"/>', kind="iTXt")}),
        ("PNG", {"save_all": True, "append_images": [Image.new("RGB", (70, 45))]}),
        ("JPEG", {"mode": "CMYK"}),
        ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (70, 45))]}),
        ("BMP", {}),
    ],
)
def test_what_may_mean_something_else_is_left_to_pillow(format: str, options: dict[str, Any]) -> None:
    assert not is_quick(encoded(format, **options))


def test_remarks_on_a_png_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded("PNG", pnginfo=text("Software", "a camera"), dpi=(300, 300))
    assert is_quick(data)
    assert same(read(data), by_pillow(data, monkeypatch))


def test_a_large_photo_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded("PNG")
    monkeypatch.setattr(quick, "MAX_PIXELS", 45 * 70)
    assert is_quick(data)
    monkeypatch.setattr(quick, "MAX_PIXELS", 45 * 70 - 1)
    assert not is_quick(data)


def chunks_of(png: bytes) -> list[Chunk]:
    position, chunks = 8, []
    while position < len(png):
        length = int.from_bytes(png[position : position + 4])
        chunks.append((png[position + 4 : position + 8], png[position + 8 : position + 8 + length]))
        position += 12 + length
    return chunks


def png_of(chunks: list[Chunk]) -> bytes:
    """With right checksums, whatever is in it."""
    parts = [len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4) for kind, body in chunks]
    return b"".join([b"\x89PNG\r\n\x1a\n", *parts])


def header_byte(place: int, value: int) -> Callable[[list[Chunk]], list[Chunk]]:
    def changed(chunks: list[Chunk]) -> list[Chunk]:
        body = chunks[0][1]
        return [(b"IHDR", body[:place] + bytes([value]) + body[place + 1 :]), *chunks[1:]]

    return changed


def pixels(change: Callable[[bytes], bytes]) -> Callable[[list[Chunk]], list[Chunk]]:
    """What is within the compressed stream, changed."""
    return lambda chunks: [
        (kind, zlib.compress(change(zlib.decompress(body))) if kind == b"IDAT" else body) for kind, body in chunks
    ]


@pytest.mark.parametrize(
    "change",
    [
        header_byte(12, 1),  # says that it is interlaced
        header_byte(8, 4),
        header_byte(7, 46),  # says that it is higher
        header_byte(9, 3),  # says that it has a palette
        pixels(lambda rows: rows[:-1]),
        pixels(lambda rows: rows + rows),
        pixels(lambda rows: b"\x07" + rows[1:]),  # there are five filters
        lambda chunks: [*chunks[:1], (b"pHYs", b"\0"), *chunks[1:]],
        lambda chunks: [*chunks[:1], (b"tRNS", bytes(6)), *chunks[1:]],
        lambda chunks: [*chunks[:1], (b"acTL", bytes(8)), *chunks[1:]],
        lambda chunks: [*chunks[:2], (b"tEXt", b"a\0b"), *chunks[1:]],
        lambda chunks: [*chunks[:1], (b"IDAT", b""), *chunks[1:]],
        lambda chunks: [(kind, body[:-5] if kind == b"IDAT" else body) for kind, body in chunks],
        lambda chunks: chunks[:-1],
        lambda chunks: chunks[1:],
        lambda chunks: [*chunks, *chunks],
    ],
)
def test_a_png_that_is_wrong_behind_right_checksums_is_read_or_refused_as_by_pillow(
    change: Callable[[list[Chunk]], list[Chunk]], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = png_of(change(chunks_of(encoded("PNG"))))
    assert same(read(data), by_pillow(data, monkeypatch))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize(
    ("format", "options"), [("PNG", {}), ("PNG", {"mode": "L"}), ("JPEG", {}), ("JPEG", {"progressive": True})]
)
def test_a_damaged_file_is_read_or_refused_as_by_pillow(
    format: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rng, whole = np.random.default_rng(1), encoded(format, **options)
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        first, last = sorted(rng.integers(1, len(whole), 2))
        kind = rng.integers(4)
        if kind == 0:
            del data[first:]
        elif kind == 1:
            del data[first:last]
        else:
            for position in rng.integers(0, len(data), 2 * kind - 3):
                data[position] ^= 1 << rng.integers(8)
        photo = read(bytes(data))
        assert same(photo, by_pillow(bytes(data), monkeypatch))
        refused += isinstance(photo, str)
    assert refused > 20
    assert capfd.readouterr() == ("", "")


def test_without_kornia_rs_pillow_reads_all(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded("PNG")
    expected = read(data)
    monkeypatch.setattr(quick, "kornia", None)
    assert same(read(data), expected)
