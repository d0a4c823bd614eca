"""Small pictures of one size in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageOps

from andon.reports.colours import LINE, PAPER


def in_reading_order(cells: Sequence[Image.Image], columns: int, gap: int) -> Image.Image:
    """At least one cell, at most `columns` of them side by side, `gap` pixels apart and around."""
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    width, height = cells[0].width + gap, cells[0].height + gap
    page = Image.new("RGB", (columns * width + gap, rows * height + gap), PAPER)
    for index, cell in enumerate(cells):
        row, column = divmod(index, columns)
        page.paste(cell, (gap + column * width, gap + row * height))
    return page


def paste_into_square(cell: Image.Image, picture: Image.Image, top: int) -> None:
    """Paste a picture of at most the cell's width into the middle of a square as wide as the cell."""
    side = cell.width
    cell.paste(LINE, (0, top, side, top + side))
    cell.paste(picture, ((side - picture.width) // 2, top + (side - picture.height) // 2))


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """The picture as large as fits into a square of that side with one pixel around it."""
    return ImageOps.contain(picture, (side - 2, side - 2))
