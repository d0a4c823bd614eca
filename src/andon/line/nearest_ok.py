"""What a region looks most like: small pictures of the OK photos, and crops that show two patches side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from andon import images
from andon.types import FloatMap, Frame, Likeness, Nearest, Region, RgbImage

THUMBNAIL_SIDE = 256
JPEG_QUALITY = 80
FIELD = 0.36  # of a picture's longer side, that a crop shows
CROP_SIDE = 180
MARK = (255, 255, 255)
MARK_RIM = (31, 41, 51)

MAX_EXPLAINED = 6  # regions of a photo

Place = tuple[float, float]
"""(y, x) as shares of a picture's height and width, so that they hold at any size."""


@dataclass(frozen=True)
class Thumbnail:
    """An OK photo that trained the model, as it was preprocessed.

    Attributes:
        photo: its file within the data set.
        jpeg: see `thumbnail`.
    """

    photo: str
    jpeg: bytes


def explain(
    regions: tuple[Region, ...],
    frame: Frame,
    anomaly_map: FloatMap,
    found: Nearest,
    thumbnails: Sequence[Thumbnail],
) -> tuple[Region, ...]:
    """The regions, the strongest six with the patch of an OK photo that they look most like.

    Args:
        anomaly_map: (H0, W0) in the photo's own pixels.
        found: of the one photo whose frame it is.
        thumbnails: of the OK photos, in the order of `found.origin`.
    """
    grid = (found.distance.shape[1], found.distance.shape[2])
    patch = (1 / grid[0], 1 / grid[1])
    explained = []
    for region in regions[:MAX_EXPLAINED]:
        row, column = patch_at(peak(region, anomaly_map), frame, grid)
        number, y, x = found.origin[0, row, column].tolist()
        nearest = thumbnails[int(number)]
        looks_like = Likeness(
            photo=nearest.photo,
            distance=float(found.distance[0, row, column]),
            region=crop(frame.image, ((row + 0.5) * patch[0], (column + 0.5) * patch[1]), patch),
            nearest=crop(read(nearest.jpeg), (y, x), patch),
        )
        explained.append(replace(region, looks_like=looks_like))
    return (*explained, *regions[MAX_EXPLAINED:])


def thumbnail(image: RgbImage) -> bytes:
    """The preprocessed photo as a JPEG with at most 256 pixels on its longer side."""
    picture = Image.fromarray(image)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=JPEG_QUALITY)
    return data.getvalue()


def read(data: bytes) -> RgbImage:
    """The picture that `thumbnail` made, (h, w, 3) uint8 RGB.

    Raises:
        ImageError: it is something else, or damaged.
    """
    return images.load(data, Path("The thumbnail"), min_side=1).image


def peak(region: Region, anomaly_map: FloatMap) -> tuple[float, float]:
    """Where the region deviates most: (x, y) in the pixels of the map, which are the photo's."""
    x0, y0, x1, y1 = region.xyxy
    y, x = np.argwhere(anomaly_map[y0:y1, x0:x1] == np.float32(region.peak))[0]
    return float(x0 + x), float(y0 + y)


def patch_at(point: tuple[float, float], frame: Frame, grid: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the patch, of a grid of (h, w) of them, that shows a point (x, y) of the photo."""
    x, y = cv2.perspectiveTransform(np.array([[point]], dtype=np.float64), np.linalg.inv(frame.to_original))[0, 0]
    rows, columns = grid
    row, column = (y + 0.5) / frame.size[0] * rows, (x + 0.5) / frame.size[1] * columns
    return min(max(int(row), 0), rows - 1), min(max(int(column), 0), columns - 1)


def crop(picture: RgbImage, centre: Place, patch: Place) -> RgbImage:
    """A square piece of `picture` around a patch, with the patch framed: (180, 180, 3) uint8 RGB.

    At the rim of the picture the piece is moved inwards.

    Args:
        patch: height and width of the patch.
    """
    size = np.array(picture.shape[:2])
    side = min(round(FIELD * size.max()), int(size.min()))
    middle = np.array(centre) * size
    top, left = np.clip(np.round(middle - side / 2).astype(int), 0, size - side)
    piece = Image.fromarray(picture[top : top + side, left : left + side]).resize((CROP_SIDE, CROP_SIDE))
    half = np.array(patch) * size / 2
    corners = [(middle + sign * half - (top, left)) * CROP_SIDE / side for sign in (-1, 1)]
    (y0, x0), (y1, x1) = ((float(y), float(x)) for y, x in corners)
    draw = ImageDraw.Draw(piece)
    for rim, colour in ((2, MARK_RIM), (0, MARK)):
        draw.rectangle((x0 - rim, y0 - rim, x1 + rim, y1 + rim), outline=colour, width=2)
    return np.asarray(piece, dtype=np.uint8)
