"""Regions beside the patches of OK photos that they look most like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import INK, MUTED, PAPER
from andon.reports.fonts import font, shorten
from andon.reports.number_format import number
from andon.types import Likeness, Region, RgbImage

GAP = 4
SPACE = 24  # between one region with its patch and the next
HEADING = 30
CAPTION = 22


def region_beside_nearest(likeness: Likeness) -> RgbImage:
    """The region (left) and the patch of an OK photo, each framed, (h, w, 3) uint8 RGB."""
    height = likeness.region.shape[0]
    gap = np.full((height, GAP, 3), PAPER, dtype=np.uint8)
    return np.hstack([likeness.region, gap, likeness.nearest])


def nearest_ok_strip(regions: Sequence[Region], width: int) -> Image.Image | None:
    """As many regions with their patches as fit into `width` pixels, the strongest first; None without any."""
    explained = [(region, region.looks_like) for region in regions if region.looks_like is not None]
    if not explained:
        return None
    pictures = [region_beside_nearest(likeness) for _, likeness in explained]
    height, step = pictures[0].shape[0], pictures[0].shape[1] + SPACE
    shown = max(1, (width + SPACE) // step)
    strip = Image.new("RGB", (max(width, step), HEADING + CAPTION + height), PAPER)
    draw = ImageDraw.Draw(strip)
    heading = "What the regions look most like: region (left), nearest patch of an OK photo (right)"
    draw.text((0, 4), shorten(heading, width, font(14)), font=font(14), fill=INK)
    for place, ((region, likeness), picture) in enumerate(list(zip(explained, pictures, strict=True))[:shown]):
        draw.text((place * step, HEADING), f"region {number(region.peak)}", font=font(12), fill=MUTED)
        said = f"{PurePath(likeness.photo).name}, distance {number(likeness.distance)}"
        right = place * step + height + GAP
        draw.text((right, HEADING), shorten(said, height, font(12)), font=font(12), fill=MUTED)
        strip.paste(Image.fromarray(picture), (place * step, HEADING + CAPTION))
    return strip
