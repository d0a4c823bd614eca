"""Resizing that keeps the photo's shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.preprocess._canvas import MULTIPLE, canvas_of, put_on
from andon.types import Frame

MAX_SIDE = 8192


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
        return replace(self, canvas=canvas_of(self.image_size, *np.median(sizes, axis=0))) if sizes else self

    def __call__(self, frame: Frame) -> Frame:
        return put_on(frame, self.canvas or canvas_of(self.image_size, *frame.size))


def _is_side(pixels: int) -> bool:
    return MULTIPLE <= pixels <= MAX_SIDE and pixels % MULTIPLE == 0


STEP = Resize
