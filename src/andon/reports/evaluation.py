"""Evaluate a pipeline on a data set: used by `andon evaluate` and `andon demo`."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from andon.datasets import Dataset, count_of, samples_to_evaluate
from andon.evaluation import Accumulator, describe_metrics, summarise
from andon.evaluation.inspect_labelled import inspect_labelled
from andon.files import locked
from andon.models.taught import Taught
from andon.reports.answer import answer, in_words
from andon.reports.evaluation_folder import EvaluationFolder
from andon.reports.row_files import RESULT_FILES, RowFile
from andon.types import Failure, Sample

LOG = logging.getLogger("andon")
Figures = dict[str, Any]


def evaluate(
    model: Taught,
    dataset: Dataset,
    *,
    model_file: Path,
    out: Path | None,
    explain: bool = False,
    keep_calibrated: bool = False,
) -> Figures:
    """The figures of `summarise`; "failures": file -> why it could not be inspected; and "in_words", sentences.

    Args:
        model_file: as the user named it.
        explain: show which OK photo each region looks most like.
        keep_calibrated: evaluate photos that had a say in the threshold, too, and say so.
        out: folder for the report, the figures, the rows and the pictures; None writes nothing.

    Raises:
        ConfigError: a metric of another package cannot be used.
        DatasetError: there is no labelled test photo.
        InputError: `out` cannot be written.
    """
    describe_metrics()  # one that cannot be used is told of before the work, not after it
    LOG.info(dataset.describe())
    samples, remark = _samples(model, dataset, keep_calibrated)
    said = [*dataset.remarks, *([remark] if remark else [])]
    for line in said:
        LOG.warning(line)
    remarks = [*model.manifest.remarks, *said]
    folder = None if out is None else EvaluationFolder(out, model, [sample.path for sample in samples])
    accumulator = Accumulator()
    failures: dict[str, str] = {}
    with ExitStack() as stack:
        if out is not None:
            stack.enter_context(locked(out))
        rows = [stack.enter_context(RowFile(out / name)) for name in RESULT_FILES] if out is not None else []
        for sample, result, mask in inspect_labelled(model.pipeline, samples, explain=explain):
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
    found = answer(figures, model_file)
    figures["in_words"] = in_words(found)
    if folder is not None:
        remarks += [f"Could not be inspected: {error}" for error in failures.values()]
        folder.finish(
            figures,
            found,
            title=dataset.root.resolve().name,
            subtitle=_subtitle(model, model_file.stem),
            remarks=remarks,
        )
    return figures


def _samples(model: Taught, dataset: Dataset, keep_calibrated: bool) -> tuple[list[Sample], str]:
    """The photos to inspect, and a remark on those that taught or calibrated the model; empty where there are none."""
    manifest = model.manifest
    if not keep_calibrated:
        return samples_to_evaluate(dataset.samples, manifest.seen, manifest.set_threshold, manifest.excluded.digests)
    samples, remark = samples_to_evaluate(dataset.samples, manifest.taught_by, (), manifest.excluded.digests)
    if kept := count_of(samples, manifest.set_threshold):
        remark += f" {kept} of the photos had a say in the threshold, so the figures flatter the model."
    return samples, remark.strip()


def _subtitle(model: Taught, model_name: str) -> str:
    recipe = model.recipe
    return f"Model {model_name}: {recipe.detector} on {recipe.backbone.name}, {date.today():%d %B %Y}"
