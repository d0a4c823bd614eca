"""A comparison as text and as a folder with its page."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from andon import images
from andon.comparison import Comparison, Method, disagreements
from andon.reports.pages import comparison as page
from andon.reports.pages.conclusions import conclusions
from andon.reports.pages.evaluation import flat
from andon.reports.pages.gallery import to_jpeg
from andon.reports.pages.writing import write_file
from andon.reports.pictures.views import photo_tile

Figures = dict[str, Any]
COLUMNS = ("method", "image AUROC", "pixel AUROC", "AUPRO", "rejects", "escapes", "teach", "photo", "memory", "model")
MAX_PHOTOS = 24
TILE_SIDE = 200


def as_text(figures: Figures) -> str:
    """The table, what it shows, and what was used."""
    rows = [COLUMNS, *(_row(method) for method in figures["methods"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    table = ["  ".join(_cell(cell, widths, place) for place, cell in enumerate(row)).rstrip() for row in rows]
    failed = [f"{name} could not be compared: {why}" for name, why in figures["failed"].items()]
    notes = [*conclusions(figures), *failed, figures["photos"]]
    return "\n".join([*table, "", *notes])


def _cell(text: str, widths: Sequence[int], place: int) -> str:
    return text.ljust(widths[place]) if place == 0 else text.rjust(widths[place])


def _row(method: Figures) -> tuple[str, ...]:
    return (
        method["name"],
        _area(method, "image_auroc", with_interval=True),
        _area(method, "pixel_auroc"),
        _area(method, "aupro"),
        _rate(method["false_reject_rate"]),
        _rate(method["escape_rate"]),
        f"{method['seconds_to_teach']:.0f} s",
        f"{method['milliseconds_per_photo']:.0f} ms",
        f"{method['inspect_megabytes']:.0f} MB",
        f"{method['model_megabytes']:.1f} MB",
    )


def _area(method: Figures, name: str, *, with_interval: bool = False) -> str:
    if method[name] is None:
        return "-"
    low, high = method["intervals"][name]
    return f"{method[name]:.3f} ({low:.3f} to {high:.3f})" if with_interval else f"{method[name]:.3f}"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def write_folder(folder: Path, comparison: Comparison, methods: Sequence[Method], figures: Figures) -> None:
    """Write comparison.html and comparison.json.

    Raises:
        InputError: the folder cannot be written.
    """
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    write_file(folder / "comparison.json", text.encode(errors="backslashreplace"))
    disputed = disagreements(comparison)[:MAX_PHOTOS]
    made = page.Page(
        title=f"{figures['data']}: {len(figures['methods'])} methods compared",
        subtitle=f"{date.today():%d %B %Y}",
        figures=figures,
        disputed=tuple(_disputed(comparison, index) for index in disputed),
        recipes={method.name: dict(flat(method.recipe.to_tree())) for method in methods},
        machine=f"this machine with {os.cpu_count()} cores",
    )
    page.write(folder / "comparison.html", made)


def _disputed(comparison: Comparison, index: int) -> page.Disputed:
    sample = comparison.samples[index]
    mask = None if sample.mask_path is None else images.read_mask(sample.mask_path)
    said = [
        page.Said(
            outcome.name,
            str(outcome.judged.verdicts[index]),
            float(outcome.sigmas[index]),
            outcome.pictures[index].read_bytes(),
        )
        for outcome in comparison.outcomes
    ]
    photo = to_jpeg(photo_tile(images.read(sample.path), mask, TILE_SIDE))
    label = sample.defect or ("defective" if sample.is_anomalous else "good")
    return page.Disputed("/".join(sample.path.parts[-2:]), label, photo, mask is not None, tuple(said))
