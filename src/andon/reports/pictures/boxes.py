"""Boxes around regions, each with the peak of the anomaly map in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from andon.reports.colours import ON_VERDICT, VERDICT
from andon.reports.fonts import font
from andon.reports.number_format import number
from andon.types import Region, RgbImage, Verdict

Corners = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in pixels of the picture."""

MAX_LABELS = 6


def draw_boxes(photo: RgbImage, regions: Sequence[Region], verdict: Verdict, scale: float = 1.0) -> RgbImage:
    """A copy of `photo` with the boxes in the verdict's colour.

    Args:
        photo: (H, W, 3) uint8 RGB.
        regions: strongest first, as an inspection has them; only the first six are labelled, lest they hide the part.
        scale: pixels of `photo` per pixel of the photo file, where it was reduced or enlarged.
    """
    image = Image.fromarray(photo)
    draw = ImageDraw.Draw(image)
    side = math.sqrt(image.width * image.height)
    width = max(2, round(side / 200))
    typeface = font(max(11, round(side / 32)))
    boxes = [_scaled(region, scale, width) for region in regions]
    for box in boxes:
        draw.rectangle(box, outline=VERDICT[verdict], width=width)
    for box, region in list(zip(boxes, regions, strict=True))[:MAX_LABELS]:
        _label(draw, box, number(region.peak), typeface, verdict, image.width)
    return np.asarray(image)


def _scaled(region: Region, scale: float, width: int) -> Corners:
    """The box in the picture's pixels, its line around the region and not on it."""
    x0, y0, x1, y1 = (edge * scale for edge in region.xyxy)
    return x0 - width, y0 - width, x1 - 1 + width, y1 - 1 + width


def _label(
    draw: ImageDraw.ImageDraw,
    box: Corners,
    text: str,
    typeface: ImageFont.FreeTypeFont,
    verdict: Verdict,
    picture_width: int,
) -> None:
    """The text on a plate above the box, or below it where there is no room above."""
    width, height = typeface.getlength(text) + 6, typeface.size + 4
    x = max(0.0, min(box[0], picture_width - width))
    y = box[1] - height if box[1] >= height else box[3]
    draw.rectangle((x, y, x + width, y + height), fill=VERDICT[verdict])
    draw.text((x + 3, y + height / 2), text, font=typeface, fill=ON_VERDICT[verdict], anchor="lm")
