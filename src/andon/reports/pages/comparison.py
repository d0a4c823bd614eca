"""One self-contained HTML page per comparison: what is shown, the figures, and the photos that tell methods apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from andon.reports.pages.conclusions import AREAS, conclusions, difference
from andon.reports.pages.sentences import NAMES, interval_of, value_of
from andon.reports.pages.writing import template, write_file
from andon.reports.plots import evaluation as plots
from andon.reports.text import percent

SCORES = ("image_auroc", "pixel_auroc", "aupro", "false_reject_rate", "escape_rate")


class Said(NamedTuple):
    """What one method said of a photo, with a picture of where (JPEG)."""

    method: str
    verdict: str
    sigma: float
    jpeg: bytes


class Disputed(NamedTuple):
    """A photo that was given different verdicts, and the photo itself (JPEG), its true defect marked if it is known."""

    name: str
    label: str
    jpeg: bytes
    is_marked: bool
    said: tuple[Said, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the page says.

    Attributes:
        figures: the dictionary that `andon compare --json` prints.
        disputed: photos to show; their number in all is in the figures.
        recipes: name of a method -> its recipe as nested plain values.
        machine: what the times were measured on.
    """

    title: str
    subtitle: str
    figures: Mapping[str, Any]
    disputed: tuple[Disputed, ...]
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    machine: str = ""


def write(path: Path, page: Page) -> None:
    """Write the page, making its folder.

    Raises:
        InputError: the file cannot be written.
    """
    write_file(path, render(page).encode())


def render(page: Page) -> str:
    """The page as text."""
    return template("comparison.html").render(
        page=page,
        figures=page.figures,
        conclusions=conclusions(page.figures),
        scores=[(name, NAMES[name][0], NAMES[name][1]) for name in SCORES],
        value_of=value_of,
        interval_of=interval_of,
        plots=list(_plots(page.figures)),
        differences=list(_rows(page.figures)),
    )


class Row(NamedTuple):
    """A difference in the table of all."""

    figure: str
    of: str
    against: str
    value: str
    interval: str
    is_shown: bool


def _rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    for found in figures["differences"]:
        name, (low, high) = found["figure"], found["interval"]
        shown = _area if name in AREAS else _share
        yield Row(
            NAMES[name][0],
            found["of"],
            found["against"],
            shown(found["difference"]),
            f"{shown(low)} to {shown(high)}",
            found["is_shown"],
        )


def _plots(figures: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Differences to the best method, of each area that is defined for two methods or more."""
    for name in AREAS:
        ranked = sorted((m for m in figures["methods"] if m[name] is not None), key=lambda method: -method[name])
        if len(ranked) < 2:
            continue
        best = ranked[0]["name"]
        found = [difference(figures, name, method["name"], best) for method in ranked[1:]]
        rows = [(one.of, one.value, one.low, one.high) for one in found if one is not None]
        yield f"{NAMES[name][0]}: the best is {best}", plots.difference_plot(rows, NAMES[name][0])


def _area(value: float) -> str:
    return f"{value:+z.3f}".replace("-", "−")


def _share(value: float) -> str:
    return ("+" if value > 0 else "") + percent(value).replace("-", "−")
