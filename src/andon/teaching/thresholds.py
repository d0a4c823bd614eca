"""Photos that a model has not seen, how it scores them, and the thresholds that come of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from andon import images
from andon.errors import DatasetError, ImageError
from andon.evaluation import alphas
from andon.line.calibration import Calibration, CalibrationRule, calibrate, sweep_table
from andon.line.pipeline import Photo, Pipeline
from andon.progress import track
from andon.types import Failure

LOG = logging.getLogger("andon")
MAX_LISTED = 5


class HeldOut(NamedTuple):
    """An OK photo that the model has not seen, its image score, and the largest value of its map.

    `errors` are its reconstruction and latent error, where the detector has an alpha to weigh them with.
    """

    path: str
    sha256: str
    score: float
    map_peak: float
    errors: tuple[float, ...] = ()


def score_ok(pipeline: Pipeline, photos: Sequence[Photo]) -> list[HeldOut]:
    """Score photos that the model was not taught with.

    Raises:
        ImageError: a photo cannot be read.
    """
    held_out = []
    for scored in track(pipeline.score_all(photos), "Calibrating", len(photos)):
        if isinstance(scored, Failure):
            raise ImageError(scored.error)
        held_out.append(HeldOut(scored.prepared.path, scored.prepared.sha256, scored.score, pipeline.map_peak(scored)))
    if alphas.has_alpha(pipeline):
        errors = alphas.errors_of(pipeline, photos).tolist()
        return [photo._replace(errors=tuple(pair)) for photo, pair in zip(held_out, errors, strict=True)]
    return held_out


def unusual(held_out: Sequence[HeldOut]) -> list[str]:
    """A remark on the OK photos that score above Tukey's upper fence, as they set the threshold."""
    scores = np.array([photo.score for photo in held_out])
    lower, upper = np.percentile(scores, [25, 75])
    odd = sorted((p for p in held_out if p.score > upper + 1.5 * (upper - lower)), key=lambda photo: -photo.score)
    if not odd:
        return []
    listed = ", ".join(f"{photo.path} ({photo.score:.4g})" for photo in odd[:MAX_LISTED])
    more = f" and {len(odd) - MAX_LISTED} more" if len(odd) > MAX_LISTED else ""
    return [
        f"Unlike the other OK photos, and so raising the threshold: {listed}{more}; see whether they really are OK."
    ]


def recalibrate(pipeline: Pipeline, rule: CalibrationRule, ok: Sequence[Photo], ng: Sequence[Photo] = ()) -> Pipeline:
    """The same model with thresholds from other photos.

    Args:
        ok: OK photos that the model was not taught with.
        ng: labelled NG photos, for the method "target-recall".

    Raises:
        DatasetError: a photo is one that the model was taught with.
        ImageError: a photo cannot be read.
        NotCalibratedError: too few photos for the rule.
    """
    rule.check(len(ok), len(ng))
    known = {
        digest
        for key in ("training_sha256", "training_ng_sha256")
        for digest in pipeline.manifest.get(key, {}).values()
    }
    files = [Path(photo) for photo in (*ok, *ng) if not isinstance(photo, np.ndarray)]
    seen = [file for file in files if images.sha256(images.read_bytes(file)) in known]
    if seen:
        raise DatasetError(
            f"{len(seen)} of the {len(ok) + len(ng)} photos taught this model, {seen[0]} for one, so a threshold from "
            "them would not hold for others; calibrate with photos that it has never seen."
        )
    held_out, damaged = score_ok(pipeline, ok), score_ok(pipeline, ng)
    calibration = calibrated(rule, held_out, damaged)
    if damaged:
        LOG.info(sweep_table([photo.score for photo in held_out], [photo.score for photo in damaged]))
    manifest = dict(pipeline.manifest) | {
        "remarks": [*pipeline.manifest.get("remarks", []), f"Calibrated anew with {len(ok)} OK photos."],
        "calibration_precision": pipeline.scorer.precision,
        "calibration_sha256": {
            f"{number} {Path(photo.path).name}": photo.sha256 for number, photo in enumerate(held_out, start=1)
        },
    }
    manifest |= errors_for_alphas(held_out)
    recipe = replace(pipeline.recipe, calibration=rule)
    return replace(pipeline, recipe=recipe, calibration=calibration, manifest=manifest)


def calibrated(rule: CalibrationRule, ok: Sequence[HeldOut], ng: Sequence[HeldOut] = ()) -> Calibration:
    return calibrate(
        rule, [photo.score for photo in ok], [photo.map_peak for photo in ok], [photo.score for photo in ng]
    )


def errors_for_alphas(held_out: Sequence[HeldOut]) -> dict[str, Any]:
    """What `andon alphas` needs in the manifest: models of folds are not kept, so none could measure these again."""
    errors = [photo.errors for photo in held_out if photo.errors]
    return {alphas.HELD_OUT_ERRORS: errors} if errors else {}
