"""One self-contained HTML page per evaluation: figures, plots, photos, parameters; no network, no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from andon.evaluation.headlines import AVERAGE_PRECISION, FALSE_REJECTS, IMAGE_AUROC, OF_ONE_DEFECT, OK_REVIEWS
from andon.reports.answer import Sentence
from andon.reports.figures import count_of, interval_of, rows, title_of, value_of
from andon.reports.pages.gallery import Photo, groups_of
from andon.reports.pages.headlines import headlines
from andon.reports.pages.templates import template
from andon.reports.pictures.heatmap import colour_bar
from andon.reports.pictures.jpeg import to_jpeg
from andon.reports.plots.confusion import confusion_plot
from andon.reports.plots.curves import precision_recall_plot, roc_plot
from andon.reports.plots.losses import loss_plot
from andon.reports.plots.photo_colours import colour_plot
from andon.reports.plots.scores import score_histogram
from andon.reports.plots.style import Counts, PlotFormat
from andon.reports.settings import flat

MAX_PER_GROUP = 60  # photos with pictures; the table at the end has all
MAX_TILES = 24  # of a group, before the plots


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationPage:
    """All that the page says.

    Attributes:
        title: what was inspected.
        subtitle: by which model, and when.
        figures: the dictionary that `andon evaluate --json` prints.
        answer: what was found, in words.
        photos: every inspected photo, made by `gallery.photo_of`.
        pixel_threshold: of the anomaly maps.
        review_threshold: score from which on a photo is set aside for review, if there is such a band.
        colours: (3, 256) sums of `count_colours` over the OK and over the NG photos.
        parameters, provenance: nested dictionaries of plain values, shown as they are.
        remarks: sentences that the reader must not miss.
        losses: of each epoch, by name, for a detector that learns by gradient.
        best_epoch: the one that was kept, counted from 1; None where there are no losses.
    """

    title: str
    subtitle: str
    figures: Mapping[str, Any]
    photos: tuple[Photo, ...]
    pixel_threshold: float
    answer: tuple[Sentence, ...] = ()
    review_threshold: float | None = None
    colours: tuple[Counts, Counts] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    best_epoch: int | None = None

    def to_html(self) -> str:
        """The page as text."""
        return template("evaluation.html").render(
            page=self,
            figures=self.figures,
            headlines=headlines(self.figures),
            rows=list(rows(self.figures, self.figures["metrics"])),
            of_one_defect=OF_ONE_DEFECT,
            false_rejects=FALSE_REJECTS,
            ok_reviews=OK_REVIEWS,
            title_of=title_of,
            value_of=value_of,
            interval_of=interval_of,
            count_of=count_of,
            plots=list(plots_of(self)),
            scale=to_jpeg(colour_bar((12, 240))),
            groups=groups_of(self.photos),
            max_per_group=MAX_PER_GROUP,
            max_tiles=MAX_TILES,
            settings=[("Parameters", list(flat(self.parameters))), ("Provenance", list(flat(self.provenance)))],
        )


class Plot(NamedTuple):
    """A plot as a file, its heading and what it tells; `name` is a file name without its ending."""

    name: str
    heading: str
    meaning: str
    data: bytes
    wide: bool = False


def plots_of(page: EvaluationPage, file: PlotFormat = "svg") -> Iterator[Plot]:
    """The plots that the page's figures allow."""
    figures = page.figures
    scores = np.array([photo.score for photo in page.photos])
    is_anomalous = np.array([photo.is_anomalous for photo in page.photos], dtype=bool)
    threshold = figures["threshold"]
    yield Plot(
        "scores",
        "Scores",
        "The farther apart the two groups, the safer the threshold between them.",
        score_histogram(scores, is_anomalous, threshold, page.review_threshold, file),
    )
    yield Plot(
        "confusion",
        "Verdicts",
        "Green is right, red is wrong; what goes to a person is neither.",
        confusion_plot(figures["confusion"], file),
    )
    if (auroc := figures[IMAGE_AUROC]) is not None:
        yield Plot(
            "roc",
            "Caught against rejected",
            "What every other threshold would have given (ROC); the best corner is the upper left.",
            roc_plot(scores, is_anomalous, threshold, auroc, figures["intervals"].get(IMAGE_AUROC), file),
        )
        yield Plot(
            "precision_recall",
            "Right against caught",
            "How far NG verdicts can be trusted; the best corner is the upper right.",
            precision_recall_plot(scores, is_anomalous, threshold, figures[AVERAGE_PRECISION], file),
        )
    if page.best_epoch is not None:
        yield Plot(
            "losses",
            "Training",
            "The losses of each epoch. The model is that of the epoch in which the held-out OK photos had the lowest.",
            loss_plot(page.losses, page.best_epoch, file),
            wide=True,
        )
    if page.colours is not None:
        yield Plot(
            "colours",
            "Colours",
            "Of all pixels. If the curves lie apart, ask whether light or camera differ rather than the parts.",
            colour_plot(*page.colours, file),
            wide=True,
        )
