"""Inspect labelled photos and hand out the ground truth beside each result."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from andon.datasets import read_mask
from andon.errors import ImageError
from andon.line.pipeline import Pipeline
from andon.progress import track
from andon.types import Failure, Inspection, Mask, Sample

LOG = logging.getLogger("andon")


def inspect_labelled(
    pipeline: Pipeline, samples: Sequence[Sample], *, explain: bool = False
) -> Iterator[tuple[Sample, Inspection | Failure, Mask | None]]:
    """Each sample with its inspection, anomaly map included, and its ground-truth mask where there is one; in order.

    What was done to a mask, or why it cannot be used, is among the inspection's notes.

    Raises:
        NotCalibratedError: the model has no threshold yet.
    """
    results = pipeline.inspect_batch([sample.path for sample in samples], with_map=True, explain=explain)
    for sample, result in track(zip(samples, results, strict=True), "Inspecting", len(samples)):
        if isinstance(result, Failure) or result.anomaly_map is None:
            yield sample, result, None
            continue
        height, width = result.anomaly_map.shape
        mask, remarks = ground_truth(sample, (height, width))
        for remark in remarks:
            LOG.warning(f"{sample.path}: {remark}")
        yield sample, replace(result, notes=(*result.notes, *remarks)), mask


def ground_truth(sample: Sample, photo_size: tuple[int, int]) -> tuple[Mask | None, tuple[str, ...]]:
    """The mask of an NG photo in its (height, width), None if there is none that can be used; and remarks on it."""
    if not sample.is_anomalous:
        return None, ()
    try:
        return read_mask(sample, photo_size)
    except ImageError as error:
        names = " + ".join(mask.name for mask in sample.masks)
        return None, (f"its mask {names} cannot be used and was left out: {error}",)
