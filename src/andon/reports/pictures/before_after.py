"""What each preprocessing step makes of a photo, to look through before training."""

from __future__ import annotations

import textwrap

import cv2
import numpy as np
from PIL import Image, ImageDraw

from andon.reports.colours import INK, MEASURED, MUTED, PAPER, VERDICT
from andon.reports.fonts import font
from andon.reports.pictures._grid import fitted, in_reading_order, paste_into_square
from andon.types import Frame, RgbImage

COLUMNS = 5
SIDE = 240
GAP = 16
HEADER = 22
FOOTER = 58
NOTE_COLUMNS = 36
NOTE_LINES = 3


def before_after(original: RgbImage, stages: list[tuple[str, Frame]]) -> RgbImage:
    """The photo and what each step left of it, in reading order, the ROI outlined, with what a step could not do.

    Args:
        original: (H0, W0, 3) uint8 RGB.
        stages: name of each step, in order, and the frame after it.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    cells = [_cell("photo", Frame.whole(original), ())]
    n_notes = 0
    for number, (name, frame) in enumerate(stages, start=1):
        cells.append(_cell(f"{number}  {name}", frame, frame.notes[n_notes:]))
        n_notes = len(frame.notes)
    return np.asarray(in_reading_order(cells, COLUMNS, GAP))


def _cell(name: str, frame: Frame, notes: tuple[str, ...]) -> Image.Image:
    """Name and size above the picture, notes below it."""
    cell = Image.new("RGB", (SIDE, HEADER + SIDE + FOOTER), PAPER)
    draw = ImageDraw.Draw(cell)
    height, width = frame.size
    draw.text((0, 0), name, font=font(14, bold=True), fill=INK)
    draw.text((SIDE, 2), f"{width} × {height}", font=font(11), fill=MUTED, anchor="ra")
    paste_into_square(cell, _picture(frame), top=HEADER)
    lines = [line for note in notes for line in textwrap.wrap(note, NOTE_COLUMNS)][:NOTE_LINES]
    draw.multiline_text((0, HEADER + SIDE + 5), "\n".join(lines), font=font(12), fill=VERDICT["NG"], spacing=5)
    return cell


def _picture(frame: Frame) -> Image.Image:
    """The image, fitted into the cell, with the outline of the ROI unless that is everything."""
    picture = fitted(Image.fromarray(frame.image), SIDE)
    if frame.roi.all():
        return picture
    roi = cv2.resize(frame.roi.astype(np.uint8), picture.size, interpolation=cv2.INTER_NEAREST_EXACT)
    outlines, _ = cv2.findContours(roi, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return Image.fromarray(cv2.drawContours(np.array(picture), outlines, -1, MEASURED, 1))
