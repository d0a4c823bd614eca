"""Resizing that keeps the photo's shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from andon.errors import ConfigError
from andon.preprocess import _warp
from andon.preprocess._base import Step
from andon.types import Frame

MULTIPLE = 16
AUTO = 384  # pixels of the short side
MAX_SIDE = 8192
MAX_ASPECT = 8.0


@dataclass(frozen=True, kw_only=True)
class Resize(Step):
    """Scales a photo to the canvas without squeezing it: what the photo does not cover is padding, outside the ROI.

    Attributes:
        image_size: the canvas's short side in pixels, a multiple of 16. "auto" is 384, or the OK photos' own median
            short side where that is less, as enlarging adds nothing that could be seen.
        canvas: (height, width), both multiples of 16. None until `fit` settles it from the OK photos' median shape;
            a step that was never fitted gives each photo a canvas of the photo's own shape.
    """

    image_size: int | Literal["auto"] = "auto"
    canvas: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.image_size != "auto" and not _is_side(self.image_size):
            raise ConfigError(
                f"resize.image_size is {self.image_size}; use a multiple of {MULTIPLE} up to {MAX_SIDE}, such as 384, "
                "or auto."
            )
        if self.canvas is not None and not all(map(_is_side, self.canvas)):
            raise ConfigError(
                f"resize.canvas is {list(self.canvas)}; "
                f"give height and width as multiples of {MULTIPLE} up to {MAX_SIDE}, or leave it out."
            )

    def fit(self, frames: Iterable[Frame]) -> Self:
        """Settle the canvas; one that is already set stays."""
        if self.canvas is not None:
            return self
        sizes = [frame.size for frame in frames]
        return replace(self, canvas=self.canvas_of(*np.median(sizes, axis=0))) if sizes else self

    def __call__(self, frame: Frame) -> Frame:
        height, width = frame.size
        canvas_height, canvas_width = canvas = self.canvas or self.canvas_of(height, width)
        scale = min(canvas_height / height, canvas_width / width)
        content = max(1, round(height * scale)), max(1, round(width * scale))
        missing = canvas_height - content[0], canvas_width - content[1]
        if max(missing) <= MULTIPLE // 2:  # the photo has the canvas's shape, but for the rounding to multiples
            return _warp.resize(frame, canvas)
        top, left = -(missing[0] // 2), -(missing[1] // 2)
        return _warp.window(_warp.resize(frame, content), (top, left, top + canvas_height, left + canvas_width))

    def canvas_of(self, height: float, width: float) -> tuple[int, int]:
        """(height, width) for photos of that size."""
        own = max(MULTIPLE, MULTIPLE * int(min(AUTO, height, width) // MULTIPLE))
        short = own if self.image_size == "auto" else self.image_size
        aspect = max(width / height, height / width)
        long = MULTIPLE * round(short * min(aspect, MAX_ASPECT) / MULTIPLE)
        return (short, long) if width >= height else (long, short)


def _is_side(pixels: int) -> bool:
    return MULTIPLE <= pixels <= MAX_SIDE and pixels % MULTIPLE == 0


STEP = Resize
