"""Everything that was found on one photo, on one picture."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import INK, LINE, MUTED, ON_VERDICT, PAPER, VERDICT
from andon.reports.pictures.heatmap import colour_bar
from andon.reports.pictures.nearest_ok import strip
from andon.reports.pictures.views import Tile, make_tiles
from andon.reports.text import font, number, shorten, signed
from andon.types import Inspection, Mask, RgbImage

MARGIN = 20
GAP = 12
HEADER = 84
CAPTION = 26
FOOTER = 62
MIN_WIDTH = 640
NOTE_LINES = 3
STACK_FROM = 2.0  # photos wider than this many heights go one below the other


def panel(
    photo: RgbImage,
    inspection: Inspection,
    *,
    pixel_threshold: float,
    mask: Mask | None = None,
    label: str | None = None,
) -> RgbImage:
    """Photo, deviation, regions and true defect side by side, with name, verdict, score and scale.

    Args:
        photo: (H0, W0, 3) uint8 RGB, of any size and shape.
        pixel_threshold: of the anomaly map; ties the colours to the model instead of to the photo.
        mask: (H0, W0) the true defect, where it is known.
        label: what the photo is known to be, for example "good" or "scratch".

    Returns:
        (h, w, 3) uint8 RGB.
    """
    tiles = make_tiles(photo, inspection, pixel_threshold, mask)
    body = _arrange(tiles)
    width = max(MIN_WIDTH, body.width + 2 * MARGIN)
    likenesses = strip(inspection.regions, width - 2 * MARGIN)
    strip_height = 0 if likenesses is None else likenesses.height + GAP
    sheet = Image.new("RGB", (width, HEADER + body.height + FOOTER + strip_height), PAPER)
    sheet.paste(body, (MARGIN, HEADER))
    if likenesses is not None:
        sheet.paste(likenesses, (MARGIN, HEADER + body.height + FOOTER))
    draw = ImageDraw.Draw(sheet)
    _header(draw, inspection, label, width)
    _scale(sheet, draw, pixel_threshold, HEADER + body.height)
    _notes(draw, inspection, width, HEADER + body.height)
    return np.asarray(sheet)


def _arrange(tiles: list[Tile]) -> Image.Image:
    height, width = tiles[0].picture.shape[:2]
    stacked = width > STACK_FROM * height
    step_x, step_y = (0, height + CAPTION + GAP) if stacked else (width + GAP, 0)
    last = len(tiles) - 1
    body = Image.new("RGB", (width + step_x * last, CAPTION + height + step_y * last), PAPER)
    draw = ImageDraw.Draw(body)
    for place, tile in enumerate(tiles):
        x, y = place * step_x, place * step_y
        draw.text((x, y + 4), shorten(tile.caption, width, font(14)), font=font(14), fill=MUTED)
        body.paste(Image.fromarray(tile.picture), (x, y + CAPTION))
        draw.rectangle((x, y + CAPTION, x + width - 1, y + CAPTION + height - 1), outline=LINE)
    return body


def _header(draw: ImageDraw.ImageDraw, inspection: Inspection, label: str | None, width: int) -> None:
    chip_width = _chip(draw, inspection)
    x = MARGIN + chip_width + GAP
    known = f"known as {label}" if label else ""
    known = shorten(known, width / 3, font(14))
    draw.text((width - MARGIN, 29), known, font=font(14), fill=MUTED, anchor="rm")
    room = width - MARGIN - x - font(14).getlength(known) - GAP
    name = shorten(PurePath(inspection.path).name, room, font(18, bold=True))
    draw.text((x, 29), name, font=font(18, bold=True), fill=INK, anchor="lm")
    draw.text((MARGIN, 65), describe(inspection), font=font(14), fill=INK, anchor="lm")


def _chip(draw: ImageDraw.ImageDraw, inspection: Inspection) -> int:
    text, typeface = inspection.verdict.upper(), font(18, bold=True)
    width = round(typeface.getlength(text)) + 24
    draw.rectangle((MARGIN, 14, MARGIN + width, 44), fill=VERDICT[inspection.verdict])
    draw.text((MARGIN + width / 2, 29), text, font=typeface, fill=ON_VERDICT[inspection.verdict], anchor="mm")
    return width


def describe(inspection: Inspection) -> str:
    """Score, threshold, sigma and p-value on one line."""
    return (
        f"score {number(inspection.score)}    threshold {number(inspection.threshold)}    "
        f"{signed(inspection.sigma)} σ    p = {inspection.p_value:.2g}"
    )


def _scale(sheet: Image.Image, draw: ImageDraw.ImageDraw, pixel_threshold: float, y: int) -> None:
    """The colour bar with its three marks."""
    height, width = 12, 240
    top = y + 16
    sheet.paste(Image.fromarray(colour_bar((height, width))), (MARGIN, top))
    marks = [
        (0.0, "0", "la"),
        (0.5, f"threshold {number(pixel_threshold)}", "ma"),
        (1.0, f"≥ {number(2 * pixel_threshold)}", "ra"),
    ]
    for place, text, anchor in marks:
        x = MARGIN + round(place * (width - 1))
        draw.line((x, top - 3, x, top + height + 2), fill=INK)
        draw.text((x, top + height + 5), text, font=font(12), fill=MUTED, anchor=anchor)


def _notes(draw: ImageDraw.ImageDraw, inspection: Inspection, width: int, y: int) -> None:
    """One below the other; the last line takes what does not fit."""
    x = MARGIN + 240 + 2 * MARGIN
    notes = inspection.notes
    lines = (*notes[: NOTE_LINES - 1], "; ".join(notes[NOTE_LINES - 1 :]))
    for place, line in enumerate(lines):
        text = shorten(line, width - MARGIN - x, font(12))
        draw.text((x, y + 22 + 16 * place), text, font=font(12), fill=INK, anchor="lm")
