"""One self-contained HTML page on a data set: how many photos, their colours, samples of each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from andon.reports.pages.gallery import to_jpeg
from andon.reports.pages.writing import template, write_file
from andon.types import RgbImage


class Sheet(NamedTuple):
    """Sample photos of one class, (h, w, 3) uint8 RGB."""

    name: str
    n_photos: int
    n_shown: int
    picture: RgbImage


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the page says.

    Attributes:
        figures: the dictionary that `andon explore --json` prints.
        colours, distances: SVG files of `class_plots`; no distances where there were too few OK photos.
        sheets: one per class.
    """

    title: str
    subtitle: str
    figures: Mapping[str, Any]
    colours: bytes
    distances: bytes | None
    sheets: tuple[Sheet, ...]


def write(path: Path, page: Page) -> None:
    """Write the page, making its folder.

    Raises:
        InputError: the file cannot be written.
    """
    write_file(path, render(page).encode(errors="backslashreplace"))


def render(page: Page) -> str:
    """The page as text."""
    sheets = [(sheet, to_jpeg(sheet.picture)) for sheet in page.sheets]
    return template("exploration.html").render(
        page=page, figures=page.figures, conclusion=conclusion(page.figures), sheets=sheets
    )


def conclusion(figures: Mapping[str, Any]) -> str:
    """What the colours alone can tell, in a sentence or two."""
    auroc = figures["colour_auroc"]
    if auroc is None:
        return f"How far colours alone tell OK from NG cannot be said: {figures['undefined']}."
    low, high = figures["interval"]
    found = (
        f"Take a good and a defective part at random: in {100 * auroc:.0f} of 100 such pairs the colours of the "
        f"defective one are the more unusual (AUROC {auroc:.3f}, 95 % interval {low:.3f} to {high:.3f})."
    )
    if high < 0.7:
        return f"{found} Colours say little here: texture and shape must tell."
    doubt = " Make sure that the parts differ, and not the light or the camera." if low > 0.9 else ""
    return f"{found} Any detector has to beat this.{doubt}"
