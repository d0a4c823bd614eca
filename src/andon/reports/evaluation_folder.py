"""The folder that an evaluation leaves behind: report, figures, plots and a picture of every photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from andon import images
from andon.models.manifest import Manifest
from andon.models.taught import Taught
from andon.reports.answer import Sentence
from andon.reports.pages.evaluation import EvaluationPage, plots_of
from andon.reports.pages.gallery import Photo, known_as, photo_of
from andon.reports.picture_folder import PictureFolder
from andon.reports.pictures.panel import panel
from andon.reports.plots.photo_colours import count_colours
from andon.reports.writing import write_file, write_json, write_text
from andon.types import Inspection, Mask, Sample

PICTURES = "pictures"


class EvaluationFolder:
    """Takes one inspected photo after another; `finish` writes the report of all."""

    def __init__(self, folder: Path, model: Taught, photos: Sequence[Path]) -> None:
        assert model.calibration is not None
        images.mark_output(folder)
        self._pictures = PictureFolder(folder / PICTURES)
        self._folder = folder
        self._model = model
        self._calibration = model.calibration
        self._names = dict(zip(photos, images.picture_names(photos), strict=True))
        self._photos: list[Photo] = []
        self._colours = np.zeros((2, 3, 256), dtype=np.int64)  # of the OK and of the NG photos

    def add(self, sample: Sample, inspection: Inspection, mask: Mask | None) -> None:
        """Write the picture of one photo and keep a small one for the report."""
        assert inspection.photo is not None  # `inspect_labelled` asks for it
        photo = inspection.photo
        threshold = self._calibration.pixel_threshold
        label = known_as(sample.is_anomalous, sample.defect)
        is_anomalous = bool(sample.is_anomalous)
        name = self._names[sample.path]
        picture = panel(photo, inspection, pixel_threshold=threshold, mask=mask, label=label, is_anomalous=is_anomalous)
        self._pictures.write(name, picture)
        self._photos.append(
            photo_of(
                photo,
                inspection,
                pixel_threshold=threshold,
                is_anomalous=is_anomalous,
                defect=sample.defect,
                mask=mask,
                large=quote(f"{PICTURES}/{name.as_posix()}", errors="surrogateescape"),
            )
        )
        self._colours[int(is_anomalous)] += count_colours(photo)

    def finish(
        self,
        figures: Mapping[str, Any],
        found: Sequence[Sentence],
        *,
        title: str,
        subtitle: str,
        remarks: Sequence[str],
    ) -> None:
        """Write figures.json, the plots and report.html; pictures of an earlier run are removed.

        Args:
            found: the answer in words.

        Raises:
            InputError: the folder cannot be written.
        """
        epochs = self._model.manifest.epochs
        page = EvaluationPage(
            title=title,
            subtitle=subtitle,
            figures=figures,
            answer=tuple(found),
            photos=tuple(self._photos),
            pixel_threshold=self._calibration.pixel_threshold,
            review_threshold=self._calibration.review_threshold,
            colours=(self._colours[0], self._colours[1]),
            parameters=self._model.recipe.to_tree(),
            provenance=_origin(self._model.manifest),
            losses={} if epochs is None else epochs.losses,
            best_epoch=None if epochs is None else epochs.best,
            remarks=(self._calibration.describe(), *remarks),
        )
        write_json(self._folder / "figures.json", figures)
        for plot in plots_of(page, "png"):
            write_file(self._folder / f"plots/{plot.name}.png", plot.data)
        write_text(self._folder / "report.html", page.to_html())
        self._pictures.finish()


def _origin(manifest: Manifest) -> dict[str, Any]:
    """Where the model comes from, without what the page says elsewhere."""
    return {name: value for name, value in manifest.summary().items() if name not in ("version", "remarks", "epochs")}
