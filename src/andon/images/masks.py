"""Ground-truth masks: reading them, and bringing them to the size of their photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.errors import ImageError
from andon.images.depth import read_deep
from andon.images.files import read_bytes
from andon.images.pillow import ON_ITS_SIDE, blaming, has_more_pages, open_picture, orientation_of, upright
from andon.types import Mask

LOSSY = ("JPEG", "MPO", "WEBP", "HEIF")
NOISE = 32  # of 255, that such a file may show where black was
SAME_SHAPE = 0.02
MOST_OF_IT = 0.5  # more defect than part: more likely black is meant


def read_mask(path: Path) -> Mask:
    """The mask at `path`, (H, W) bool, upright, True = defect: whatever is neither black nor transparent.

    In a JPEG, which blurs its edges, it is whatever is brighter than half of its brightest pixel.

    Raises:
        ImageError: the file is missing, empty, cut short, no picture or several.
    """
    data = read_bytes(path)
    with blaming(data, path):
        deep = read_deep(data, path, min_side=1)
        if deep is not None:
            if deep.has_more_pages:
                raise _several_pages(path)
            return _marked(deep.values, deep.alpha)
        image = open_picture(data, path, min_side=1)
        alpha = np.asarray(image.convert("RGBA"))[:, :, 3] if image.has_transparency_data else None
        if image.format in LOSSY:
            values = np.asarray(image.convert("L"))
            marked = _marked(values > values.max() / 2 if values.max() > NOISE else values, alpha)
        else:
            marked = _marked(np.asarray(image if image.mode in ("1", "L") else image.convert("RGB")), alpha)
        if has_more_pages(image):
            raise _several_pages(path)
        return upright(marked, orientation_of(image))


def fit_mask(mask: Mask, photo_size: tuple[int, int], orientation: int = 1) -> tuple[Mask, tuple[str, ...]]:
    """The mask in the pixels of its photo, and remarks on what was done to it and on what looks wrong with it.

    Args:
        photo_size: (height, width) of the photo, upright.
        orientation: how the photo lies in its file; a mask that was drawn on it as it lies there is turned with it.

    Raises:
        ImageError: the mask is not of the photo's shape at any size.
    """
    remarks = []
    if not _has_shape(mask, photo_size) and orientation in ON_ITS_SIDE:
        mask = upright(mask, orientation)
        remarks.append("its mask was turned as the photo is")
    if not _has_shape(mask, photo_size):
        raise ImageError(
            f"The mask is {_size(mask.shape)} pixels but its photo is {_size(photo_size)}, which is another shape; "
            "export the mask again, in its photo's size."
        )
    if mask.shape != photo_size:
        remarks.append(f"its mask of {_size(mask.shape)} pixels was scaled to the photo's {_size(photo_size)}")
        mask = cv2.resize(mask.astype(np.float32), photo_size[::-1], interpolation=cv2.INTER_AREA) >= 0.5
    share = mask.mean()
    if share == 1:
        remarks.append("its mask marks the whole photo")
    elif share > MOST_OF_IT:
        remarks.append(f"its mask marks {share:.0%} of the photo, so it may be inverted: white must be the defect")
    elif share == 0:
        remarks.append("its mask marks nothing")
    return mask, tuple(remarks)


def join_masks(masks: Sequence[Mask]) -> Mask:
    """What any of the masks marks.

    Raises:
        ImageError: they differ in size.
    """
    if len({mask.shape for mask in masks}) != 1:
        raise ImageError(
            f"The masks of one photo are of different sizes ({', '.join(_size(mask.shape) for mask in masks)} pixels); "
            "export them again, all in the photo's size."
        )
    joined: Mask = np.logical_or.reduce(masks)
    return joined


def _several_pages(path: Path) -> ImageError:
    return ImageError(f"{path} holds several pictures, and it is not known which is the mask; save each by itself.")


def _marked(values: NDArray[Any], alpha: NDArray[Any] | None) -> Mask:
    """An alpha channel that is 0 everywhere counts as none."""
    marked: Mask = values != 0 if values.ndim == 2 else np.any(values != 0, axis=2)
    return marked & (alpha > 0) if alpha is not None and alpha.any() else marked


def _has_shape(mask: Mask, photo_size: tuple[int, int]) -> bool:
    """Whether the mask is its photo at some size, to a pixel and a few per cent."""
    (height, width), (photo_height, photo_width) = mask.shape, photo_size
    off = abs(height * photo_width - width * photo_height)
    return bool(off <= max(photo_height, photo_width, SAME_SHAPE * height * photo_width))


def _size(size: tuple[int, ...]) -> str:
    """Width x height, as people say it."""
    return f"{size[1]} x {size[0]}"
