"""Pictures of more than 8 bits, with their values as the file holds them: PNG of 16 bits, TIFF of 10 bits and more."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from andon.errors import ImageError
from andon.images.pillow import MIN_SIDE, ORIENTATION, check_size, open_picture, orientation_of, upright

PNG = b"\x89PNG\r\n\x1a\n"
BIG_TIFF = (b"II+\0", b"MM\0+")
TIFF = (b"II*\0", b"MM\0*", *BIG_TIFF)
WIDTH, HEIGHT, BITS, PHOTOMETRIC, CHANNELS, PLANES = 256, 257, 258, 262, 277, 284
LEAST, MOST, SIGNED_LEAST, SIGNED_MOST = 280, 281, 340, 341
EXTRA_CHANNEL, KIND_OF_VALUE = 338, 339
KINDS = {1: "whole numbers", 2: "signed numbers", 3: "fractions"}
WHITE_IS_0, BLACK_IS_0, RGB = 0, 1, 2
PACKED = (10, 12, 14)  # bits that are not a whole number of bytes

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our error says the same in a sentence


@dataclass(frozen=True)
class Deep:
    """A picture as its file holds it.

    Attributes:
        values: (H, W) grey or (H, W, 3) RGB, of any type, upright.
        alpha: (H, W) of the same type, None where nothing is transparent.
        black, white: what the file states as its smallest and largest value; `white` is None where it states none.
        orientation: how it lies in the file.
        is_negative: whether 0 is white.
        has_more_pages: whether other pictures follow in the file.
    """

    values: NDArray[Any]
    alpha: NDArray[Any] | None
    black: float
    white: float | None
    orientation: int
    format: str
    is_negative: bool = False
    has_more_pages: bool = False


def read_deep(data: bytes, path: Path, min_side: int = MIN_SIDE) -> Deep | None:
    """The picture in `data` if it has more than 8 bits per value, else None.

    Raises:
        ImageError: it is of a kind that is not read, too small or too large, or holds values that are NaN or infinite.
            A damaged file raises anything.
    """
    deep = None
    if data.startswith(PNG) and data[24:25] == b"\x10":
        deep = _of_png(data, path, min_side)
    elif data.startswith(TIFF):
        deep = _of_tiff(data, path, min_side)
    if deep is not None and deep.values.dtype.kind == "f" and not np.isfinite(deep.values).all():
        raise ImageError(f"{path} holds values that are NaN or infinite; export it again.")
    return deep


def _of_png(data: bytes, path: Path, min_side: int) -> Deep:
    image = open_picture(data, path, min_side)  # finds what is damaged, and the way up
    if image.mode.startswith("I"):
        values, alpha = np.asarray(image), None
    else:
        values, alpha = _decode(data)
    white, orientation = _white_of_png(data, float(values.max())), orientation_of(image)
    alpha = None if alpha is None else upright(alpha, orientation)
    return Deep(upright(values, orientation), alpha, 0.0, white, orientation, "PNG")


def _white_of_png(data: bytes, largest: float) -> float | None:
    """White by the chunk sBIT, the bits of the camera.

    By the standard the values are stretched to all 16 bits then; cameras leave them as they are.
    """
    position = len(PNG)
    while (kind := data[position + 4 : position + 8]) not in (b"IDAT", b""):
        length = int.from_bytes(data[position : position + 4])
        if kind == b"sBIT":
            bits = data[position + 8]
            return 2.0**bits - 1 if largest < 2**bits else 65535.0
        position += 12 + length
    return None


def _of_tiff(data: bytes, path: Path, min_side: int) -> Deep | None:
    file = io.BytesIO(data)
    tags = ImageFileDirectory_v2(data[: 16 if data[:4] in BIG_TIFF else 8])
    file.seek(tags.next)
    tags.load(file)
    bits, channels = max(tags.get(BITS, (1,))), tags.get(CHANNELS, 1)
    photometric = tags.get(PHOTOMETRIC, BLACK_IS_0)
    if bits <= 8 or photometric not in (WHITE_IS_0, BLACK_IS_0, RGB):
        return None
    check_size((tags[WIDTH], tags[HEIGHT]), path, min_side)
    decoded = None if tags.get(PLANES, 1) != 1 and channels > 1 else _decoded(data)
    if decoded is None or (1 if decoded.ndim == 2 else decoded.shape[2]) != channels:
        kind = KINDS.get(max(tags.get(KIND_OF_VALUE, (1,))), "values")
        raise ImageError(
            f"{path} is damaged, or a TIFF of a kind that Andon does not read ({channels} x {bits} bits, {kind}); "
            "save it as grey or RGB of 8 or 16 bits, the colours of a pixel side by side."
        )
    values, alpha = _split(decoded)
    if bits in PACKED:
        values = values >> (16 - bits)
    black, white = _range_of_tiff(tags, bits)
    return Deep(
        values=values,
        alpha=alpha if np.max(tags.get(EXTRA_CHANNEL, 0)) else None,
        black=black,
        white=white,
        orientation=tags.get(ORIENTATION, 1),
        format="TIFF",
        is_negative=photometric == WHITE_IS_0,
        has_more_pages=bool(tags.next),
    )


def _range_of_tiff(tags: ImageFileDirectory_v2, bits: int) -> tuple[float, float | None]:
    """Black and white, where the file states them."""
    least, most = (
        tags.get(signed, tags.get(unsigned)) for signed, unsigned in ((SIGNED_LEAST, LEAST), (SIGNED_MOST, MOST))
    )
    black = 0.0 if least is None else float(np.min(least))
    white = np.nan if most is None else float(np.max(most))
    if np.isfinite(black) and black < white < np.inf:
        return black, white
    return 0.0, 2.0**bits - 1 if bits in PACKED else None


def _decode(data: bytes) -> tuple[NDArray[Any], NDArray[Any] | None]:
    decoded = _decoded(data)
    if decoded is None:
        raise ValueError("its pixels cannot be decoded")
    return _split(decoded)


def _decoded(data: bytes) -> NDArray[Any] | None:
    """(H, W) or (H, W, C), blue first; OpenCV keeps the depth where Pillow reduces colours to 8 bits.

    None where it cannot read them. It turns a TIFF upright as it reads it, and no other file.
    """
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # its message is code
        return None


def _split(decoded: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Grey or RGB, and the fourth channel where there is one."""
    if decoded.ndim == 2:
        return decoded, None
    return decoded[:, :, 2::-1], decoded[:, :, 3] if decoded.shape[2] == 4 else None
