"""One self-contained HTML page per evaluation: figures, plots, photos, parameters; no network, no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from andon.reports.pages.gallery import Photo, groups_of, to_jpeg
from andon.reports.pages.sentences import headlines, interval_of, rows, value_of
from andon.reports.pages.writing import template, write_file
from andon.reports.pictures.heatmap import colour_bar
from andon.reports.plots import evaluation as plots

MAX_PER_GROUP = 60  # photos with pictures; the table at the end has all


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that the page says.

    Attributes:
        title: what was inspected.
        subtitle: by which model, and when.
        figures: the dictionary that `andon evaluate --json` prints.
        photos: every inspected photo, made by `gallery.photo_of`.
        pixel_threshold: of the anomaly maps.
        review_threshold: score from which on a photo is set aside for review, if there is such a band.
        colours: (3, 256) sums of `plots.count_colours` over the OK and over the NG photos.
        parameters, provenance: nested dictionaries of plain values, shown as they are.
        remarks: sentences that the reader must not miss.
        losses: of each epoch, by name, for a detector that learns by gradient.
        best_epoch: the one that the model is, counted from 1; None where there are no losses.
    """

    title: str
    subtitle: str
    figures: Mapping[str, Any]
    photos: tuple[Photo, ...]
    pixel_threshold: float
    review_threshold: float | None = None
    colours: tuple[plots.Counts, plots.Counts] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    best_epoch: int | None = None


def write(path: Path, report: Report) -> None:
    """Write the page, making its folder.

    Raises:
        InputError: the file cannot be written.
    """
    write_file(path, render(report).encode())


def render(report: Report) -> str:
    """The page as text."""
    return template("evaluation.html").render(
        report=report,
        figures=report.figures,
        value_of=value_of,
        interval_of=interval_of,
        headlines=headlines(report.figures),
        rows=list(rows(report.figures)),
        plots=list(plots_of(report)),
        scale=to_jpeg(colour_bar((12, 240))),
        groups=groups_of(report.photos),
        max_per_group=MAX_PER_GROUP,
        settings=[("Parameters", list(flat(report.parameters))), ("Provenance", list(flat(report.provenance)))],
    )


class Plot(NamedTuple):
    """A plot as a file, its heading and what it tells; `name` is a file name without its ending."""

    name: str
    heading: str
    meaning: str
    data: bytes
    wide: bool = False


def plots_of(report: Report, file: plots.Format = "svg") -> Iterator[Plot]:
    """The plots that the report's figures allow."""
    figures = report.figures
    scores = np.array([photo.score for photo in report.photos])
    is_anomalous = np.array([photo.is_anomalous for photo in report.photos], dtype=bool)
    threshold = figures["threshold"]
    yield Plot(
        "scores",
        "Scores",
        "The farther apart the two groups, the safer the threshold between them.",
        plots.score_histogram(scores, is_anomalous, threshold, report.review_threshold, file),
    )
    yield Plot(
        "confusion", "Verdicts", "Green is right, red is wrong.", plots.confusion_plot(figures["confusion"], file)
    )
    if figures["image_auroc"] is not None:
        interval = figures["intervals"].get("image_auroc")
        yield Plot(
            "roc",
            "Caught against rejected",
            "What every other threshold would have given (ROC); the best corner is the upper left.",
            plots.roc_plot(scores, is_anomalous, threshold, figures["image_auroc"], interval, file),
        )
        yield Plot(
            "precision_recall",
            "Right against caught",
            "How far NG verdicts can be trusted; the best corner is the upper right.",
            plots.precision_recall_plot(scores, is_anomalous, threshold, figures["image_ap"], file),
        )
    if report.best_epoch is not None:
        yield Plot(
            "losses",
            "Learning",
            "The losses of each epoch. The model is the epoch in which the held-out OK photos had the lowest.",
            plots.loss_plot(report.losses, report.best_epoch, file),
            wide=True,
        )
    if report.colours is not None:
        yield Plot(
            "colours",
            "Colours",
            "Of all pixels. If the curves lie apart, ask whether light or camera differ rather than the parts.",
            plots.colour_plot(*report.colours, file),
            wide=True,
        )


def flat(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """("a.b.c", value) for every leaf: the names that --set takes."""
    for key, value in nested.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            yield from flat({str(place): item for place, item in enumerate(value)}, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
