"""Text on pictures, in the DejaVu font that travels in the package: the same on every machine, with Greek letters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

FOLDER = Path(__file__).with_name("dejavu")


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans of `size` pixels."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(FOLDER / name), size)


def shorten(text: str, width: float, typeface: ImageFont.FreeTypeFont) -> str:
    """`text`, with its middle left out where it is wider than `width` pixels: both ends tell file names apart."""
    kept = len(text)
    short = text
    while typeface.getlength(short) > width and kept > 2:
        kept -= 1
        short = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
    return short
