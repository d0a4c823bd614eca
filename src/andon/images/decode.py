"""Reading photos: every file becomes (H, W, 3) uint8 RGB, upright, with remarks for the reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from andon.errors import ImageError
from andon.images.depth import read_deep
from andon.images.files import read_bytes
from andon.images.formats import ending_note
from andon.images.pillow import (
    MIN_SIDE,
    blaming,
    check_size,
    decode_by_pillow,
    has_more_pages,
    open_header,
    orientation_of,
    upright,
)
from andon.images.quick import decode_quickly
from andon.images.scale import to_8_bits
from andon.types import RgbImage


@dataclass(frozen=True)
class Photo:
    """A photo that has been read.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        notes: what its reader should know: its name says another kind, other pages follow, white had to be guessed.
        is_guessed: whether it has more than 8 bits, and neither it nor `scale` says which value is white.
    """

    image: RgbImage
    notes: tuple[str, ...] = ()
    is_guessed: bool = False


def read(path: Path, scale: float | None = None) -> RgbImage:
    """The photo at `path`, (H, W, 3) uint8 RGB; see `load`.

    Raises:
        ImageError: the file is missing, empty, cut short, not a photo, too small or too large.
    """
    return load(read_bytes(path), path, scale).image


def decode(data: bytes, path: Path, scale: float | None = None) -> RgbImage:
    """The photo in `data`, (H, W, 3) uint8 RGB; see `load`.

    Raises:
        ImageError: see `read`.
    """
    return load(data, path, scale).image


def load(data: bytes, path: Path, scale: float | None = None, min_side: int = MIN_SIDE) -> Photo:
    """The photo in `data`; `path` names it in errors, and its ending is compared with what the file is.

    Grey becomes three equal channels, alpha is laid over white unless it is 0 everywhere, CMYK is converted, the EXIF
    orientation is applied. More than 8 bits are scaled to 8: by the range that the file states, else by `scale`, else
    by its own largest value.

    Args:
        scale: the value that is white, as `learn_scale` found it in the training photos.
        min_side: the fewest pixels that it may be wide and high.

    Raises:
        ImageError: see `read`.
    """
    scaling: tuple[str, ...] = ()
    with blaming(data, path):
        deep = read_deep(data, path, min_side)
        if deep is None:
            image = open_header(data)
            check_size(image.size, path, min_side)
            pixels, orientation = decode_quickly(data, image) or decode_by_pillow(image)
            rgb, more_pages, format = upright(pixels, orientation), has_more_pages(image), str(image.format)
        else:
            rgb, scaling = to_8_bits(deep, scale)
            orientation, format, more_pages = deep.orientation, deep.format, deep.has_more_pages
    notes = (
        ending_note(path, format),
        "the first of several pictures in its file; the others are not inspected" if more_pages else "",
        "" if orientation else "its EXIF data is damaged, so it may not be upright",
        *scaling,
    )
    return Photo(rgb, tuple(filter(None, notes)), deep is not None and deep.white is None and scale is None)


def orientation(path: Path) -> int:
    """How the photo at `path` lies in its file, as EXIF numbers it: 1 upright, 5 to 8 on its side.

    Raises:
        ImageError: see `read`.
    """
    data = read_bytes(path)
    with blaming(data, path):
        deep = read_deep(data, path)
        return orientation_of(open_header(data)) if deep is None else deep.orientation


def check_array(image: Any) -> RgbImage:
    """The array itself, once it is known to be a photo.

    Raises:
        ImageError: it is not (H, W, 3) uint8, or too small or too large.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(
            f"A {type(image).__name__} is not a photo; give a path, or an RGB array (H, W, 3) uint8, such "
            "as numpy.asarray(picture.convert('RGB')) of a Pillow picture."
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ImageError(f"The array is {image.shape} {image.dtype}; expected an RGB photo (H, W, 3) uint8.")
    check_size((image.shape[1], image.shape[0]), "The array")
    return image
