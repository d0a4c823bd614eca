"""Evaluate a pipeline on a data set: used by `andon evaluate` and `andon demo`."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from andon.datasets import Dataset, samples_to_evaluate
from andon.evaluation import Accumulator, summarise
from andon.evaluation.evaluate import examine
from andon.models.taught import Taught
from andon.reports.evaluation_folder import ReportFolder
from andon.reports.row_files import RESULT_FILES, RowFile
from andon.types import Failure

LOG = logging.getLogger("andon")
Figures = dict[str, Any]
HEADLINES = ("image_auroc", "pixel_auroc", "aupro", "false_reject_rate", "escape_rate")


def evaluate(model: Taught, dataset: Dataset, *, model_name: str, out: Path | None, explain: bool = False) -> Figures:
    """The figures of `summarise`, and "failures": file -> why it could not be inspected.

    Args:
        explain: show which OK photo each region looks most like.
        out: folder for the report, the figures, the rows and the pictures; None writes nothing.

    Raises:
        DatasetError: there is no labelled test photo.
        InputError: `out` cannot be written.
    """
    LOG.info(dataset.describe())
    samples, remark = samples_to_evaluate(dataset.samples, model.manifest.seen)
    remarks = [*model.manifest.remarks, *([remark] if remark else [])]
    folder = None if out is None else ReportFolder(out, model, [sample.path for sample in samples])
    accumulator = Accumulator()
    failures: dict[str, str] = {}
    with ExitStack() as stack:
        rows = [stack.enter_context(RowFile(out / name)) for name in RESULT_FILES] if out is not None else []
        for sample, result, mask in examine(model.pipeline, samples, explain=explain):
            for file in rows:
                file.write(result.to_row())
            if isinstance(result, Failure):
                failures[result.path] = result.error
                LOG.warning(result.error)
                continue
            accumulator.add(sample, result, mask)
            if folder is not None:
                folder.add(sample, result, mask)
    figures = summarise(accumulator.results()) | {"failures": failures}
    if folder is not None:
        remarks += [f"Could not be inspected: {error}" for error in failures.values()]
        folder.finish(
            figures, title=dataset.root.resolve().name, subtitle=_subtitle(model, model_name), remarks=remarks
        )
    return figures


def _subtitle(model: Taught, model_name: str) -> str:
    recipe = model.recipe
    return f"Model {model_name}: {recipe.detector} on {recipe.backbone.name}, {date.today():%d %B %Y}"


def as_lines(figures: Figures, names: tuple[str, ...]) -> list[str]:
    """The named figures, one per line, with their 95 % interval or why they are undefined."""
    return [f"{name:18} {_value(figures, name)}" for name in names]


def _value(figures: Figures, name: str) -> str:
    value = figures[name]
    if value is None:
        return f"undefined: {figures['undefined'][name]}"
    if isinstance(value, int):
        return str(value)
    interval = figures["intervals"].get(name)
    between = "" if interval is None else f"  (95 % interval {interval[0]:.4f} to {interval[1]:.4f})"
    return f"{value:.4f}{between}"
