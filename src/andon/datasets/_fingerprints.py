"""What is kept of every photo to compare it with the others, read once and in several threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from andon import images
from andon.errors import ImageError
from andon.images import Opened, OpenedPhotos
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.types import RgbImage

DETAIL_SIDE = 64
DETAIL_SIGMA = 2.0
MARGIN = 4  # where the blur reaches past the border and lets light and shade through
MIN_CONTRAST = 0.1  # grey levels; less is what rounding to whole ones leaves of a blank photo


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """One photo, reduced to what tells it from others.

    Attributes:
        sha256: of the file's bytes, in hex.
        size: (H, W) of the photo after its EXIF turn.
        pixels: hash of the decoded pixels and their size: equal for a PNG and a BMP of the same picture.
        detail: (64, 64) float32, the photo's structure without its light and shade, whatever its size; mean 0 and
            norm 1, so that a product of two is their correlation; all 0 where there is no structure.
    """

    path: Path
    sha256: str
    size: tuple[int, int]
    pixels: str
    detail: NDArray[np.float32] = field(repr=False)


def fingerprints(paths: Sequence[Path], opened: OpenedPhotos) -> tuple[list[Fingerprint], dict[Path, str]]:
    """The fingerprints of all photos that can be read, in order, and why the others cannot."""

    def attempt(path: Path) -> Fingerprint | ImageError:
        try:
            return fingerprint(path, opened.open(path))
        except ImageError as error:
            return error

    read: list[Fingerprint] = []
    unreadable: dict[Path, str] = {}
    results = ordered_map(attempt, paths)
    for path, result in zip(paths, track(results, "Comparing photos", len(paths)), strict=True):
        if isinstance(result, ImageError):
            unreadable[path] = str(result)
        else:
            read.append(result)
    return read, unreadable


def fingerprint(path: Path, opened: Opened) -> Fingerprint:
    """The fingerprint of one photo."""
    height, width, _ = opened.image.shape
    pixels = images.sha256(str(opened.image.shape).encode() + opened.image.tobytes())
    return Fingerprint(path, opened.sha256, (height, width), pixels, _detail(opened.image))


def _detail(image: RgbImage) -> NDArray[np.float32]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = DETAIL_SIDE + 2 * MARGIN
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    detail = (small - cv2.GaussianBlur(small, (0, 0), DETAIL_SIGMA))[MARGIN:-MARGIN, MARGIN:-MARGIN]
    detail = detail - detail.mean()
    if detail.std() < MIN_CONTRAST:
        return np.zeros_like(detail)
    return np.asarray(detail / np.linalg.norm(detail), dtype=np.float32)
