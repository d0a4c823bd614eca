"""From values of any depth to the picture that a person would see: which value is white."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from andon.errors import ImageError
from andon.images.depth import Deep, read_deep
from andon.images.files import read_bytes
from andon.images.pillow import blaming, to_rgb
from andon.types import RgbImage

OVERSHOOT = 1.1  # fractions that were filtered or resized leave their range by so much
NEARLY_BLACK = 16  # of 255


def learn_scale(photos: Iterable[Path]) -> float | None:
    """The value that is white in the photos of one camera, for those that do not state it themselves.

    None where no photo needs it: all have 8 bits or state their range. Photos that cannot be read are passed over;
    reading them says what is wrong with them.
    """
    return white_above(filter(None, map(largest_value, photos)))


class Largest(NamedTuple):
    """The largest value of a photo that does not say what is white, and whether its values are fractions."""

    value: float
    is_fraction: bool


def largest_value(photo: Path) -> Largest | None:
    """None of a photo that has 8 bits, says what is white, or cannot be read."""
    try:
        data = read_bytes(photo)
        with blaming(data, photo):
            deep = read_deep(data, photo)
    except ImageError:
        return None
    if deep is None or deep.white is not None:
        return None
    return Largest(float(deep.values.max()), deep.values.dtype.kind == "f")


def white_above(values: Iterable[Largest]) -> float | None:
    """The white of photos with these values; None where there are none."""
    values = list(values)
    if not values:
        return None
    return _white_above(max(0.0, *(one.value for one in values)), any(one.is_fraction for one in values))


def to_8_bits(deep: Deep, scale: float | None = None) -> tuple[RgbImage, tuple[str, ...]]:
    """(H, W, 3) uint8 RGB, and remarks on what is not certain.

    Args:
        scale: the value that is white where the file states none, as `learn_scale` found it.
    """
    notes = []
    largest, smallest = float(deep.values.max()), float(deep.values.min())
    white = deep.white or scale
    if white is None:
        has_fractions = deep.values.dtype.kind == "f"
        white = _white_above(largest, has_fractions)
        if white not in ((1.0, 255.0) if has_fractions else (65535.0,)):  # what is usual needs no word
            notes.append(
                f"its values go up to {largest:.6g}, and it does not say what is white: {white:.6g} is assumed"
            )
    elif largest > white * (OVERSHOOT if deep.values.dtype.kind == "f" else 1):
        share = np.mean(deep.values > white)
        notes.append(f"{share:.2%} of its values, up to {largest:.6g}, are above {white:.6g}, which is shown white")
    if smallest < deep.black:
        share = np.mean(deep.values < deep.black)
        notes.append(f"{share:.2%} of its values, down to {smallest:.6g}, are below {deep.black:.6g}, shown black")
    grey = _stretched(deep.values, deep.black, white)
    if deep.is_negative:
        grey = 255 - grey
    if grey.max() <= NEARLY_BLACK:
        notes.append(f"nearly black: its values go up to {largest:.6g}, while {white:.6g} is white")
    return _over_white(grey, deep.alpha), tuple(notes)


def _white_above(largest: float, has_fractions: bool) -> float:
    """The white that a picture has whose largest value is this: 1 or 255 as people have it, else a power of two."""
    if has_fractions:
        if largest <= NEARLY_BLACK:
            return float(2 ** math.ceil(math.log2(max(largest / OVERSHOOT, 1.0))))
        largest /= OVERSHOOT
    return float(2 ** max(8, math.ceil(largest).bit_length()) - 1)


def _stretched(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    stretched = (values.astype(np.float32) - np.float32(black)) * np.float32(255 / (white - black))
    eight: NDArray[np.uint8] = np.clip(stretched + 0.5, 0, 255).astype(np.uint8)
    return eight


def _over_white(grey: NDArray[np.uint8], alpha: NDArray[Any] | None) -> RgbImage:
    rgb = np.repeat(grey[:, :, None], 3, axis=2) if grey.ndim == 2 else grey
    if alpha is None:
        return np.ascontiguousarray(rgb)
    opaque = _white_above(float(alpha.max()), alpha.dtype.kind == "f")
    return to_rgb(Image.fromarray(np.dstack([rgb, _stretched(alpha, 0.0, opaque)])))
