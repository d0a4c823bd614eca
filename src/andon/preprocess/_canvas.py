"""Canvases: of the photos' shape, and a square around the part; nothing is squeezed."""

from __future__ import annotations

from typing import Literal

from andon.preprocess import _warp
from andon.types import Frame

MULTIPLE = 16  # sides that every backbone takes
AUTO = 384  # pixels of the short side
MAX_ASPECT = 8.0

Size = tuple[int, int]


def canvas_of(image_size: int | Literal["auto"], height: float, width: float) -> Size:
    """(height, width) of the canvas for photos of that size; `image_size` is its short side, "auto" see `Resize`."""
    own = max(MULTIPLE, MULTIPLE * int(min(AUTO, height, width) // MULTIPLE))
    short = own if image_size == "auto" else image_size
    aspect = max(width / height, height / width)
    long = MULTIPLE * round(short * min(aspect, MAX_ASPECT) / MULTIPLE)
    return (short, long) if width >= height else (long, short)


def put_on(frame: Frame, canvas: Size) -> Frame:
    """The photo in the middle of the canvas; what it does not cover is padding, outside the ROI."""
    height, width = frame.size
    scale = min(canvas[0] / height, canvas[1] / width)
    content = max(1, round(height * scale)), max(1, round(width * scale))
    missing = canvas[0] - content[0], canvas[1] - content[1]
    if max(missing) <= MULTIPLE // 2:  # the photo has the canvas's shape, but for the rounding to multiples
        return _warp.resize(frame, canvas)
    top, left = -(missing[0] // 2), -(missing[1] // 2)
    return _warp.window(_warp.resize(frame, content), (top, left, top + canvas[0], left + canvas[1]))


def square_around(frame: Frame, fill: float) -> Frame:
    """The square around the part, whose longer side takes the share `fill` of it; a whole photo takes all of it."""
    top, left, bottom, right = _warp.bounding_box(frame.roi)
    length = max(bottom - top, right - left)
    side = max(1, round(length / (1.0 if (bottom - top, right - left) == frame.size else fill)))
    top, left = (top + bottom - side) // 2, (left + right - side) // 2
    return _warp.window(frame, (top, left, top + side, left + side))
