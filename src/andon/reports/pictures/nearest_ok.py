"""Regions beside the patches of OK photos that they look most like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import INK, MUTED, PAPER
from andon.reports.text import font, number, shorten
from andon.types import Likeness, Region, RgbImage

GAP = 4
SPACE = 24  # between two pairs
HEADING = 30
CAPTION = 22


def pair(likeness: Likeness) -> RgbImage:
    """The region and the patch of an OK photo side by side, each framed."""
    height = likeness.region.shape[0]
    gap = np.full((height, GAP, 3), PAPER, dtype=np.uint8)
    return np.hstack([likeness.region, gap, likeness.nearest])


def strip(regions: Sequence[Region], width: int) -> Image.Image | None:
    """As many pairs as fit into `width` pixels, strongest region first; None where no region was explained."""
    explained = [(region, region.looks_like) for region in regions if region.looks_like is not None]
    if not explained:
        return None
    pairs = [pair(likeness) for _, likeness in explained]
    height, step = pairs[0].shape[0], pairs[0].shape[1] + SPACE
    shown = max(1, (width + SPACE) // step)
    sheet = Image.new("RGB", (max(width, step), HEADING + CAPTION + height), PAPER)
    draw = ImageDraw.Draw(sheet)
    heading = "What the regions look most like: region (left), nearest patch of an OK photo (right)"
    draw.text((0, 4), shorten(heading, width, font(14)), font=font(14), fill=INK)
    for place, ((region, likeness), picture) in enumerate(list(zip(explained, pairs, strict=True))[:shown]):
        draw.text((place * step, HEADING), f"region {number(region.peak)}", font=font(12), fill=MUTED)
        said = f"{PurePath(likeness.photo).name}, distance {number(likeness.distance)}"
        right = place * step + height + GAP
        draw.text((right, HEADING), shorten(said, height, font(12)), font=font(12), fill=MUTED)
        sheet.paste(Image.fromarray(picture), (place * step, HEADING + CAPTION))
    return sheet
