"""The part beside its regions: what an inspection looked at, and what it found there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import INK, MUTED, PAPER, VERDICT
from andon.reports.fonts import font
from andon.reports.number_format import number
from andon.reports.pictures.boxes import draw_boxes
from andon.types import Inspection, Mask, Region, RgbImage

MARGIN, GAP, HEADER, CAPTION = 20, 12, 44, 26
SIDE = 560  # the longer side of the part
AROUND = 0.04  # of the part's longer side is shown around it
DIMMED = 0.25  # of what is not the part


def part_and_regions(photo: RgbImage, inspection: Inspection, roi: Mask) -> RgbImage:
    """The part, cut out, and the same with its regions; above them the verdict with the score s and the threshold τ.

    Args:
        photo: (H0, W0, 3) uint8 RGB.
        roi: (H0, W0), not empty.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    x, y, width, height = cv2.boundingRect(roi.astype(np.uint8))
    around = round(AROUND * max(width, height))
    x0, y0 = max(x - around, 0), max(y - around, 0)
    window = np.s_[y0 : y + height + around, x0 : x + width + around]
    part = photo[window]
    scale = SIDE / max(part.shape[:2])
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    dimmed = np.where(roi[window][:, :, None], part, 255 - (255 - part) * DIMMED).astype(np.uint8)
    left, right = (np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA), np.uint8) for p in (dimmed, part))
    regions = [_moved(region, -x0, -y0) for region in inspection.regions]
    return _side_by_side(left, draw_boxes(right, regions, inspection.verdict, scale), inspection)


def _moved(region: Region, dx: int, dy: int) -> Region:
    x0, y0, x1, y1 = region.xyxy
    return replace(region, xyxy=(x0 + dx, y0 + dy, x1 + dx, y1 + dy))


def _side_by_side(left: RgbImage, right: RgbImage, inspection: Inspection) -> RgbImage:
    height, width = left.shape[:2]
    words = _verdict(inspection)
    room = max(2 * width + GAP, round(font(18, bold=True).getlength(words)))
    page = Image.new("RGB", (room + 2 * MARGIN, HEADER + CAPTION + height + MARGIN), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, HEADER / 2 + 4), words, font=font(18, bold=True), fill=VERDICT[inspection.verdict], anchor="lm")
    for column, (caption, picture) in enumerate((("Part", left), ("Regions", right))):
        place = MARGIN + column * (width + GAP)
        draw.text((place, HEADER + 4), caption, font=font(14), fill=MUTED)
        page.paste(Image.fromarray(picture), (place, HEADER + CAPTION))
        draw.rectangle((place, HEADER + CAPTION, place + width - 1, HEADER + CAPTION + height - 1), outline=INK)
    return np.asarray(page)


def _verdict(inspection: Inspection) -> str:
    """The verdict, and how the score lies to the threshold."""
    relation = "≥" if inspection.score >= inspection.threshold else "<"
    score, threshold = number(inspection.score), number(inspection.threshold)
    return f"{inspection.verdict}   s = {score} {relation} τ = {threshold}"
