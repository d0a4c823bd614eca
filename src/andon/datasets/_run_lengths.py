"""COCO's run lengths: masks written as how many pixels are alternately outside and inside, column by column."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.types import Outline

SHIFT, MORE, SIGN, CHUNK, FIRST = 5, 0x20, 0x10, 0x1F, 48


def outlines_of_runs(runs: dict[str, Any]) -> list[Outline]:
    """The outlines of a mask; holes in it are filled.

    Args:
        runs: "size" (height, width) and "counts", numbers or their compressed text.

    Raises:
        ValueError: the runs do not fill the mask.
        KeyError: something is missing.
    """
    height, width = map(int, runs["size"])
    counts = runs["counts"]
    lengths = np.array(_decompressed(counts) if isinstance(counts, str) else counts, dtype=np.int64)
    if lengths.sum() != height * width or (lengths < 0).any():
        raise ValueError(f"runs of {lengths.sum()} pixels for a mask of {height * width}")
    mask = np.repeat(np.arange(len(lengths)) % 2, lengths).reshape(width, height).T
    return _outlines(np.ascontiguousarray(mask, dtype=np.uint8))


def _decompressed(text: str) -> list[int]:
    """The numbers in a text of five bits a letter; from the fourth on, differences from the one before last."""
    numbers: list[int] = []
    value, bits = 0, 0
    for letter in text:
        code = ord(letter) - FIRST
        value |= (code & CHUNK) << bits
        bits += SHIFT
        if code & MORE:
            continue
        if code & SIGN:
            value -= 1 << bits
        numbers.append(value + numbers[-2] if len(numbers) > 2 else value)
        value, bits = 0, 0
    return numbers


def _outlines(mask: NDArray[np.uint8]) -> list[Outline]:
    """Twice as large, so that the outlines run along the edges of pixels and not through their centres."""
    height, width = mask.shape
    large = np.pad(np.kron(mask, np.ones((2, 2), dtype=np.uint8)), 1)
    contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scale = (2 * width, 2 * height)
    return [
        tuple((float(x) / scale[0], float(y) / scale[1]) for x, y in contour[:, 0] - 0.5)
        for contour in contours
        if len(contour) > 2
    ]
