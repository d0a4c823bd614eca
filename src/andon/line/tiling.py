"""Large photos in tiles: a frame is cut into overlapping ones, and what was found in them is blended into one map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError
from andon.types import FloatMap, Frame

MULTIPLE = 16


class Tile(NamedTuple):
    """A part of a frame, and where in it: `top` and `left` in pixels."""

    top: int
    left: int
    frame: Frame


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How a preprocessed photo is cut: from its upper left corner on, the last tiles moved inwards so that they fit.

    Attributes:
        size: side of a tile in pixels, a multiple of 16. A photo that is smaller is one tile of its own size.
        overlap: pixels that neighbours share at least, from 0 to half of `size`; None for a quarter of it.
    """

    size: int = 256
    overlap: int | None = None

    def __post_init__(self) -> None:
        if self.size < MULTIPLE or self.size % MULTIPLE:
            raise ConfigError(f"tiling.size is {self.size}; choose a multiple of {MULTIPLE}, such as 256.")
        if self.overlap is not None and not 0 <= self.overlap <= self.size // 2:
            raise ConfigError(
                f"tiling.overlap is {self.overlap}; it must be from 0 to {self.size // 2}, half of tiling.size."
            )

    def cut(self, frame: Frame) -> list[Tile]:
        """The tiles with any ROI, in reading order; they are views of `frame`, so they cost no memory."""
        height, width = (min(self.size, side) for side in frame.size)
        tiles = []
        for top in self._starts(frame.size[0]):
            for left in self._starts(frame.size[1]):
                window = np.s_[top : top + height, left : left + width]
                if frame.roi[window].any():
                    tiles.append(Tile(top, left, replace(frame, image=frame.image[window], roi=frame.roi[window])))
        return tiles

    def blend(self, tiles: Sequence[Tile], patches: Iterable[FloatMap], size: tuple[int, int]) -> FloatMap:
        """The patch scores (h, w) of each tile as one map (H, W) of the frame whose `size` that is.

        They are upsampled bilinearly, as an untiled photo's are. Where tiles overlap, the map is their weighted mean,
        and a tile's weight falls smoothly to nothing towards its rim, so that no seam shows.
        """
        rows, columns = (self._weights(length) for length in size)
        blended = np.zeros(size, dtype=np.float32)
        for (top, left, frame), patch in zip(tiles, patches, strict=True):
            height, width = frame.size
            pixels = cv2.resize(patch, (width, height), interpolation=cv2.INTER_LINEAR)
            blended[top : top + height, left : left + width] += pixels * np.outer(rows[top], columns[left])
        return blended

    @property
    def _overlap(self) -> int:
        return self.size // 4 if self.overlap is None else self.overlap

    def _starts(self, length: int) -> list[int]:
        """Where the tiles begin along a side of `length` pixels."""
        last = max(length - self.size, 0)
        return [*range(0, last, self.size - self._overlap), last]

    def _weights(self, length: int) -> dict[int, NDArray[np.float32]]:
        """Start of a tile -> weight of each of its pixels along that side; those of all tiles at a pixel sum to 1."""
        side = min(self.size, length)
        to_rim = 0.5 + np.minimum(np.arange(side), np.arange(side)[::-1])
        rising = np.sin(np.pi / 2 * np.minimum(to_rim / max(self._overlap, 1), 1)) ** 2
        total = np.zeros(length)
        for start in self._starts(length):
            total[start : start + side] += rising
        return {start: (rising / total[start : start + side]).astype(np.float32) for start in self._starts(length)}
