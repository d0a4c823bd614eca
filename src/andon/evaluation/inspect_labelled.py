"""Inspect labelled photos and hand out the ground truth beside each result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from andon import images
from andon.line.pipeline import Pipeline
from andon.progress import track
from andon.types import Failure, Inspection, Mask, Sample


def inspect_labelled(
    pipeline: Pipeline, samples: Sequence[Sample], *, explain: bool = False
) -> Iterator[tuple[Sample, Inspection | Failure, Mask | None]]:
    """Each sample with its inspection, anomaly map included, and its ground-truth mask where there is one; in order.

    Raises:
        ImageError: a mask cannot be read.
        NotCalibratedError: the model has no threshold yet.
    """
    results = pipeline.inspect_batch([sample.path for sample in samples], with_map=True, explain=explain)
    for sample, result in track(zip(samples, results, strict=True), "Inspecting", len(samples)):
        yield sample, result, None if sample.mask_path is None else images.read_mask(sample.mask_path)
