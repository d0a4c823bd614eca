"""Scaling the part to one size on a square canvas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from andon.errors import ConfigError
from andon.preprocess import _warp
from andon.preprocess._base import Step
from andon.preprocess._canvas import MULTIPLE, canvas_of, put_on, square_around
from andon.types import Frame

MAX_SIDE = 8192
MAX_ENLARGEMENT = 4.0  # beyond it the canvas shows interpolation, not the part


@dataclass(frozen=True, kw_only=True)
class ScaleToCanvas(Step):
    """Puts the part in the middle of a square canvas, its longer side at a fixed share of the canvas.

    Where no part was found (the ROI is everything, or nothing) the whole photo fills the canvas. Where none was found
    in any OK photo, the canvas has the photos' shape, as `resize` gives it, so that none of it is wasted.

    Attributes:
        image_size: side of the canvas in pixels.
        fill: share of the canvas that the longer side of the part's bounding box takes.
        canvas: (height, width) of a canvas for whole photos; None where parts are found. `fit` settles it.
    """

    image_size: int = 256
    fill: float = 0.8
    canvas: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not 16 <= self.image_size <= MAX_SIDE:
            raise ConfigError(
                f"scale_to_canvas.image_size is {self.image_size}; choose a number of pixels from 16 to {MAX_SIDE}."
            )
        if not 0 < self.fill <= 1:
            raise ConfigError(f"scale_to_canvas.fill is {self.fill}; choose a share from above 0 to 1, such as 0.8.")

    def fit(self, frames: Iterable[Frame]) -> Self:
        """Settle the canvas where every OK photo is whole; one that is already set stays."""
        if self.canvas is not None or self.image_size % MULTIPLE:
            return self
        sizes = []
        for frame in frames:
            if not frame.roi.all():
                return self
            sizes.append(frame.size)
        if not sizes:
            return self
        height, width = np.median(sizes, axis=0)
        return replace(self, canvas=canvas_of(self.image_size, height, width))

    def __call__(self, frame: Frame) -> Frame:
        if self.canvas is not None:
            return put_on(frame, self.canvas)
        square = square_around(frame, self.fill)  # first: enlarging the whole photo could need any amount of memory
        if self.image_size > MAX_ENLARGEMENT * square.size[0]:
            top, left, bottom, right = _warp.bounding_box(frame.roi)
            length = max(bottom - top, right - left)
            square = square.with_note(f"the part is only {length} pixels long: too small to be judged well")
        return _warp.resize(square, (self.image_size, self.image_size))


STEP = ScaleToCanvas
