"""Sample photos side by side, each with its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from andon.reports.colours import INK, LINE, PAPER
from andon.reports.text import font, shorten
from andon.types import RgbImage

COLUMNS = 6
SIDE = 168
GAP = 12
CAPTION = 20


def sheet(photos: Sequence[tuple[str, RgbImage]]) -> RgbImage:
    """The photos in reading order, each fitted into a square with its name below, (h, w, 3) uint8 RGB.

    Args:
        photos: name and (H, W, 3) uint8 RGB of each, at least one.
    """
    columns = min(COLUMNS, len(photos))
    rows = -(-len(photos) // columns)
    width, height = SIDE + GAP, SIDE + CAPTION + GAP
    page = Image.new("RGB", (columns * width + GAP, rows * height + GAP), PAPER)
    for index, (name, photo) in enumerate(photos):
        row, column = divmod(index, columns)
        page.paste(_tile(name, photo), (GAP + column * width, GAP + row * height))
    return np.asarray(page)


def _tile(name: str, photo: RgbImage) -> Image.Image:
    tile = Image.new("RGB", (SIDE, SIDE + CAPTION), PAPER)
    tile.paste(LINE, (0, 0, SIDE, SIDE))
    picture = ImageOps.contain(Image.fromarray(photo), (SIDE - 2, SIDE - 2))
    tile.paste(picture, ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2))
    ImageDraw.Draw(tile).text((0, SIDE + 3), shorten(name, SIDE, font(12)), font=font(12), fill=INK)
    return tile
