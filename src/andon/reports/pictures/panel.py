"""Everything that was found on one photo, on one picture."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import INK, LINE, MUTED, ON_VERDICT, PAPER, VERDICT
from andon.reports.fonts import font, shorten
from andon.reports.number_format import number, signed
from andon.reports.outcomes import outcome_of
from andon.reports.pictures.heatmap import colour_bar
from andon.reports.pictures.nearest_ok import nearest_ok_strip
from andon.reports.pictures.views import View, views_of
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
    is_anomalous: bool | None = None,
) -> RgbImage:
    """Photo, anomaly map, regions and ground truth side by side, with name, verdict, score and scale.

    Args:
        photo: (H0, W0, 3) uint8 RGB, of any size and shape.
        pixel_threshold: of the anomaly map; ties the colours to the model instead of to the photo.
        mask: (H0, W0) the ground truth, where there is one.
        label: what the photo is known to be, for example "good" or "scratch".
        is_anomalous: whether it is known to be defective, so that a wrong verdict is called one; None if not known.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    body = _arrange(views_of(photo, inspection, pixel_threshold, mask))
    width = max(MIN_WIDTH, body.width + 2 * MARGIN)
    strip = nearest_ok_strip(inspection.regions, width - 2 * MARGIN)
    strip_height = 0 if strip is None else strip.height + GAP
    page = Image.new("RGB", (width, HEADER + body.height + FOOTER + strip_height), PAPER)
    page.paste(body, (MARGIN, HEADER))
    if strip is not None:
        page.paste(strip, (MARGIN, HEADER + body.height + FOOTER))
    draw = ImageDraw.Draw(page)
    _header(draw, inspection, label, is_anomalous, width)
    _scale(page, draw, pixel_threshold, HEADER + body.height)
    _notes(draw, inspection, width, HEADER + body.height)
    return np.asarray(page)


def _arrange(views: list[View]) -> Image.Image:
    height, width = views[0].picture.shape[:2]
    stacked = width > STACK_FROM * height
    step_x, step_y = (0, height + CAPTION + GAP) if stacked else (width + GAP, 0)
    last = len(views) - 1
    body = Image.new("RGB", (width + step_x * last, CAPTION + height + step_y * last), PAPER)
    draw = ImageDraw.Draw(body)
    for place, view in enumerate(views):
        x, y = place * step_x, place * step_y
        draw.text((x, y + 4), shorten(view.caption, width, font(14)), font=font(14), fill=MUTED)
        body.paste(Image.fromarray(view.picture), (x, y + CAPTION))
        draw.rectangle((x, y + CAPTION, x + width - 1, y + CAPTION + height - 1), outline=LINE)
    return body


def _header(
    draw: ImageDraw.ImageDraw, inspection: Inspection, label: str | None, is_anomalous: bool | None, width: int
) -> None:
    chip_width = _chip(draw, inspection, is_anomalous)
    x = MARGIN + chip_width + GAP
    known = f"known as {label}" if label else ""
    known = shorten(known, width / 3, font(14))
    draw.text((width - MARGIN, 29), known, font=font(14), fill=MUTED, anchor="rm")
    room = width - MARGIN - x - font(14).getlength(known) - GAP
    name = shorten(PurePath(inspection.path).name, room, font(18, bold=True))
    draw.text((x, 29), name, font=font(18, bold=True), fill=INK, anchor="lm")
    draw.text((MARGIN, 65), describe(inspection), font=font(14), fill=INK, anchor="lm")


def _chip(draw: ImageDraw.ImageDraw, inspection: Inspection, is_anomalous: bool | None) -> int:
    """The verdict in its colour; a wrong one in red, with what it did."""
    text, colours, typeface = inspection.verdict.upper(), inspection.verdict, font(18, bold=True)
    outcome = None if is_anomalous is None else outcome_of(is_anomalous, inspection.verdict)
    if outcome in ("escaped", "rejected"):
        text, colours = f"{text}: {outcome.upper()}", "NG"
    width = round(typeface.getlength(text)) + 24
    draw.rectangle((MARGIN, 14, MARGIN + width, 44), fill=VERDICT[colours])
    draw.text((MARGIN + width / 2, 29), text, font=typeface, fill=ON_VERDICT[colours], anchor="mm")
    return width


def describe(inspection: Inspection) -> str:
    """Score, thresholds, sigma and p-value on one line."""
    review = inspection.review_threshold
    band = "" if review is None else f"review from {number(review)}    "
    return (
        f"score {number(inspection.score)}    {band}threshold {number(inspection.threshold)}    "
        f"{signed(inspection.sigma)} σ    p = {inspection.p_value:.2g}"
    )


def _scale(page: Image.Image, draw: ImageDraw.ImageDraw, pixel_threshold: float, y: int) -> None:
    """The colour bar with its three marks."""
    height, width = 12, 240
    top = y + 16
    page.paste(Image.fromarray(colour_bar((height, width))), (MARGIN, top))
    marks = [
        (0.0, "0", "la"),
        (0.5, f"map threshold {number(pixel_threshold)}", "ma"),
        (1.0, f"≥ {number(2 * pixel_threshold)}", "ra"),
    ]
    for place, text, anchor in marks:
        x = MARGIN + round(place * (width - 1))
        draw.line((x, top - 3, x, top + height + 2), fill=INK)
        draw.text((x, top + height + 5), text, font=font(12), fill=MUTED, anchor=anchor)


def _notes(draw: ImageDraw.ImageDraw, inspection: Inspection, width: int, y: int) -> None:
    """Why a photo is invalid, and its notes, one below the other; the last line takes what does not fit."""
    x = MARGIN + 240 + 2 * MARGIN
    notes = (*(inspection.reasons if inspection.verdict == "invalid" else ()), *inspection.notes)
    lines = (*notes[: NOTE_LINES - 1], "; ".join(notes[NOTE_LINES - 1 :]))
    for place, line in enumerate(lines):
        text = shorten(line, width - MARGIN - x, font(12))
        draw.text((x, y + 22 + 16 * place), text, font=font(12), fill=INK, anchor="lm")
