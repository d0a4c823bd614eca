"""All that a trial depends on, as plain values: where they are the same, so is the result."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from andon import images
from andon.comparison._plan import Plan, Round
from andon.recipes import Recipe
from andon.types import Precision, Sample

JOB = "job.json"
TAUGHT = "taught.json"
JUDGED = "judged.json"
MODEL = "model.safetensors"
PIXELS = "pixels.npz"
"""The files of a trial's folder."""

Json = dict[str, Any]


def job_of(recipe: Recipe, plan: Plan, one: Round, digests: dict[str, str], precision: Precision) -> Json:
    """The content of a trial's job.json.

    Args:
        digests: sha256 of every file of the plan.
    """
    weights = None if recipe.backbone.weights is None else Path(recipe.backbone.weights)
    job = {
        "recipe": recipe.to_tree(),
        "precision": precision,
        "root": str(plan.dataset.root),
        "layout": plan.dataset.layout,
        "teach": [values_of(sample) for sample in one.teach],
        "judge": [values_of(sample) for sample in one.judge],
        "sha256": [digests[str(file)] for sample in (*one.teach, *one.judge) for file in files_of(sample)],
        "weights_sha256": images.sha256(weights.read_bytes()) if weights is not None and weights.is_file() else None,
        "versions": {name: version(name) for name in ("andon", "torch", "openvino")},
    }
    plain: Json = json.loads(json.dumps(job))
    return plain


def digests_of(plan: Plan) -> dict[str, str]:
    """The sha256 of every photo and mask, in hex."""
    samples = {sample for one in plan.rounds for sample in (*one.teach, *one.judge)}
    return {str(file): images.sha256(images.read_bytes(file)) for sample in samples for file in files_of(sample)}


def files_of(sample: Sample) -> list[Path]:
    """The photo and its masks."""
    return [sample.path, *sample.masks]


def sample_of(values: dict[str, Any]) -> Sample:
    """The sample that `values_of` was given."""
    outlines = tuple(tuple((x, y) for x, y in outline) for outline in values["outlines"])
    masks = tuple(map(Path, values["masks"]))
    return Sample(**(values | {"path": Path(values["path"]), "masks": masks, "outlines": outlines}))


def values_of(sample: Sample) -> dict[str, Any]:
    """The sample as plain values."""
    return vars(sample) | {"path": str(sample.path), "masks": list(map(str, sample.masks))}
