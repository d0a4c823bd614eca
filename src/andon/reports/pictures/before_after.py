"""What the preprocessing steps make of one photo, as a sheet to look through before teaching."""

from __future__ import annotations

import textwrap

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageOps

from andon.reports.colours import INK, LINE, MEASURED, MUTED, PAPER, VERDICT
from andon.reports.text import font
from andon.types import Frame, RgbImage

COLUMNS = 5
SIDE = 240
GAP = 16
HEADER = 22
FOOTER = 58
NOTE_COLUMNS = 36
NOTE_LINES = 3
Tile = Image.Image


def before_after(original: RgbImage, stages: list[tuple[str, Frame]]) -> RgbImage:
    """The photo and what each step left of it, in reading order, the part outlined, with what a step could not do.

    Args:
        original: (H0, W0, 3) uint8 RGB.
        stages: name of each step, in order, and the frame after it.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    tiles = [_tile("photo", Frame.whole(original), ())]
    n_notes = 0
    for number, (name, frame) in enumerate(stages, start=1):
        tiles.append(_tile(f"{number}  {name}", frame, frame.notes[n_notes:]))
        n_notes = len(frame.notes)
    return np.asarray(_arrange(tiles))


def _arrange(tiles: list[Tile]) -> Image.Image:
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    width, height = tiles[0].width + GAP, tiles[0].height + GAP
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), PAPER)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        sheet.paste(tile, (GAP + column * width, GAP + row * height))
    return sheet


def _tile(name: str, frame: Frame, notes: tuple[str, ...]) -> Tile:
    """Name and size above the picture, notes below it."""
    tile = Image.new("RGB", (SIDE, HEADER + SIDE + FOOTER), PAPER)
    draw = ImageDraw.Draw(tile)
    height, width = frame.size
    draw.text((0, 0), name, font=font(14, bold=True), fill=INK)
    draw.text((SIDE, 2), f"{width} × {height}", font=font(11), fill=MUTED, anchor="ra")
    picture = _picture(frame)
    tile.paste(LINE, (0, HEADER, SIDE, HEADER + SIDE))
    tile.paste(picture, ((SIDE - picture.width) // 2, HEADER + (SIDE - picture.height) // 2))
    lines = [line for note in notes for line in textwrap.wrap(note, NOTE_COLUMNS)][:NOTE_LINES]
    draw.multiline_text((0, HEADER + SIDE + 5), "\n".join(lines), font=font(12), fill=VERDICT["NG"], spacing=5)
    return tile


def _picture(frame: Frame) -> Image.Image:
    """The image, fitted to the tile, with the outline of the ROI unless that is everything."""
    picture = ImageOps.contain(Image.fromarray(frame.image), (SIDE - 2, SIDE - 2))
    if frame.roi.all():
        return picture
    roi = cv2.resize(frame.roi.astype(np.uint8), picture.size, interpolation=cv2.INTER_NEAREST_EXACT)
    outlines, _ = cv2.findContours(roi, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return Image.fromarray(cv2.drawContours(np.array(picture), outlines, -1, MEASURED, 1))
