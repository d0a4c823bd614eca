"""What a detector measured, drawn on the photo: lines, and a ring around what deviates."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import MEASURED
from andon.types import Line, RgbImage


def draw_measurements(photo: RgbImage, lines: Sequence[Line], scale: float = 1.0) -> RgbImage:
    """A copy of `photo` with what was measured on it.

    Args:
        photo: (H, W, 3) uint8 RGB.
        scale: pixels of `photo` per pixel of the photo file, where it was reduced or enlarged.
    """
    image = Image.fromarray(photo)
    draw = ImageDraw.Draw(image)
    width = max(1, round(math.sqrt(image.width * image.height) / 300))
    for line in lines:
        x0, y0, x1, y1 = (scale * (end + 0.5) - 0.5 for end in line.xyxy)
        draw.line((x0, y0, x1, y1), fill=MEASURED, width=3 * width if line.deviates else width)
        if line.deviates:
            radius = math.hypot(x1 - x0, y1 - y0) / 2 + 10 * width
            draw.circle(((x0 + x1) / 2, (y0 + y1) / 2), radius, outline=MEASURED, width=width)
    return np.asarray(image)
