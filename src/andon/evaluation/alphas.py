"""What each alpha of Skip-GANomaly gives: the share of the reconstruction error in the image score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError, ImageError, NotCalibratedError
from andon.line.calibration import calibrate
from andon.line.pipeline import Photo, Pipeline
from andon.progress import track
from andon.types import Failure

ALPHAS = tuple(tenths / 10 for tenths in range(1, 10))
HELD_OUT_ERRORS = "held_out_errors"
"""Where the manifest keeps the errors of the photos that calibrated, each measured by a model that had not seen it."""

Errors = NDArray[np.float64]
"""(n, 2): each photo's reconstruction and latent error."""


@dataclass(frozen=True)
class Row:
    """Attributes:
    threshold: of the image score; NG from there on.
    precision: share of NG verdicts that are right; None where there is no NG verdict or no NG photo.
    recall: share of NG photos that are called NG; None where there is no NG photo.
    """

    alpha: float
    threshold: float
    precision: float | None
    recall: float | None


def has_alpha(pipeline: Pipeline) -> bool:
    """Whether the score is a weighted mean of two errors."""
    return hasattr(pipeline.recipe.detector_config, "alpha")


def with_alpha(pipeline: Pipeline, alpha: float) -> Pipeline:
    """The same model with another alpha, not calibrated.

    Raises:
        ConfigError: its detector has no alpha.
    """
    _require_alpha(pipeline)
    recipe = pipeline.recipe
    recipe = replace(recipe, detector_config=replace(recipe.detector_config, alpha=alpha))
    detector = recipe.new_detector(pipeline.detector.backbone).restore(pipeline.detector.learned())
    return Pipeline(recipe, detector, manifest=pipeline.manifest, precision=pipeline.precision)


def recalibrated(pipeline: Pipeline, alpha: float) -> Pipeline:
    """The same model with another alpha, calibrated with the same photos.

    Raises:
        ConfigError: the detector has no alpha, or alpha is not in [0, 1].
        NotCalibratedError: the model is not calibrated, or with NG photos, whose errors it does not keep.
    """
    chosen, before = with_alpha(pipeline, alpha), pipeline.calibration
    if before is None:
        raise NotCalibratedError("The model has no threshold yet; calibrate it with 'andon calibrate'.")
    scores = held_out_errors(pipeline) @ [alpha, 1 - alpha]
    calibration = calibrate(before.rule, scores.tolist(), scores.tolist())
    # the map is the reconstruction error whatever the alpha
    return chosen.calibrated(replace(calibration, pixel_threshold=before.pixel_threshold))


def held_out_errors(pipeline: Pipeline) -> Errors:
    """The two errors of each OK photo that calibrated the model.

    Raises:
        ConfigError: the detector has no alpha.
        NotCalibratedError: the model keeps no such errors.
    """
    _require_alpha(pipeline)
    errors = pipeline.manifest.get(HELD_OUT_ERRORS)
    if not errors:
        raise NotCalibratedError("The model keeps no errors of held-out photos; calibrate it with 'andon calibrate'.")
    return np.array(errors, dtype=np.float64)


def errors_of(pipeline: Pipeline, photos: Sequence[Photo]) -> Errors:
    """The two errors of each photo, which are the scores at alpha 1 and 0.

    Raises:
        ConfigError: the detector has no alpha.
        ImageError: a photo cannot be read.
    """
    columns = []
    for alpha in (1.0, 0.0):
        scores = []
        for scored in track(with_alpha(pipeline, alpha).score_all(photos), "Scoring", len(photos)):
            if isinstance(scored, Failure):
                raise ImageError(scored.error)
            scores.append(scored.score)
        columns.append(scores)
    return np.array(columns, dtype=np.float64).T


def table(ok: Errors, tested: Errors, is_anomalous: NDArray[np.bool_], percentile: float) -> list[Row]:
    """One row per alpha.

    Args:
        ok: of the OK photos that set the threshold.
        tested: of labelled photos, for precision and recall.
        is_anomalous: (n,) the truth about `tested`.
        percentile: of the scores of `ok`, that makes the threshold.
    """
    rows = []
    for alpha in ALPHAS:
        threshold = float(np.percentile(ok @ [alpha, 1 - alpha], percentile))
        called = tested @ [alpha, 1 - alpha] >= threshold
        precision = float(is_anomalous[called].mean()) if called.any() and is_anomalous.any() else None
        recall = float(called[is_anomalous].mean()) if is_anomalous.any() else None
        rows.append(Row(alpha, threshold, precision, recall))
    return rows


def _require_alpha(pipeline: Pipeline) -> None:
    if not has_alpha(pipeline):
        raise ConfigError(
            f"The model's detector is {pipeline.recipe.detector}, which has no alpha; give a skip_ganomaly model."
        )
