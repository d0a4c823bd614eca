"""A contact sheet: photos side by side, each with its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import INK, PAPER
from andon.reports.fonts import font, shorten
from andon.reports.pictures._grid import fitted, in_reading_order, paste_into_square
from andon.types import RgbImage

COLUMNS = 6
SIDE = 168
GAP = 12
CAPTION = 20


def contact_sheet(photos: Sequence[tuple[str, RgbImage]]) -> RgbImage:
    """The photos in reading order, each fitted into a square with its name below, (h, w, 3) uint8 RGB.

    Args:
        photos: name and (H, W, 3) uint8 RGB of each, at least one.
    """
    return np.asarray(in_reading_order([_cell(name, photo) for name, photo in photos], COLUMNS, GAP))


def _cell(name: str, photo: RgbImage) -> Image.Image:
    cell = Image.new("RGB", (SIDE, SIDE + CAPTION), PAPER)
    paste_into_square(cell, fitted(Image.fromarray(photo), SIDE), top=0)
    ImageDraw.Draw(cell).text((0, SIDE + 3), shorten(name, SIDE, font(12)), font=font(12), fill=INK)
    return cell
