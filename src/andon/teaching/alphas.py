"""What each alpha of Skip-GANomaly gives: the share of the reconstruction error in the image score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from andon import detectors
from andon.errors import ConfigError, ImageError, NotCalibratedError
from andon.line.calibration import calibrate
from andon.line.pipeline import Photo
from andon.models.manifest import Sessions
from andon.models.taught import Taught
from andon.progress import track
from andon.scorers.choose import fastest_scorer
from andon.types import Failure, Precision

ALPHAS = tuple(tenths / 10 for tenths in range(1, 10))

Errors = NDArray[np.float64]
"""(n, 2): each photo's reconstruction and latent error, the terms of its image score."""


@dataclass(frozen=True)
class Choice:
    """Attributes:
    threshold: of the image score; NG from there on.
    precision: share of NG verdicts that are right; None where there is no NG verdict or no NG photo.
    recall: share of NG photos that are called NG; None where there is no NG photo.
    """

    alpha: float
    threshold: float
    precision: float | None
    recall: float | None


def recalibrated(model: Taught, alpha: float) -> Taught:
    """The same model with another alpha, calibrated with the same photos.

    Raises:
        ConfigError: the detector has no alpha, or alpha is not in [0, 1].
        NotCalibratedError: the model is not calibrated, or keeps no errors of the photos that calibrated it.
    """
    before = model.calibration
    scores = held_out_errors(model) @ [alpha, 1 - alpha]
    if before is None:
        raise NotCalibratedError("The model has no threshold yet; calibrate it with 'andon calibrate'.")
    if before.rule.method == "given":
        raise NotCalibratedError(
            "The model's threshold was given by hand and means nothing for another alpha; calibrate the model with OK "
            "photos first: andon calibrate MODEL OK_DIR --method percentile."
        )
    recipe = replace(model.recipe, parameters={**model.recipe.parameters, "alpha": alpha})
    detector = detectors.of_recipe(recipe, model.detector.backbone).restore(model.detector.learned())
    calibration = calibrate(before.rule, scores.tolist(), scores.tolist())
    # the map is the reconstruction error whatever the alpha
    calibration = replace(calibration, pixel_threshold=before.pixel_threshold)
    precision = cast(Precision, model.pipeline.scorer.precision)
    scorer = fastest_scorer(detector, recipe.training.batch_size, precision)
    pipeline = replace(model.pipeline, scorer=scorer, calibration=calibration)
    manifest = replace(model.manifest, sessions=Sessions())  # they are in the order of the old scores
    return replace(model, recipe=recipe, detector=detector, pipeline=pipeline, manifest=manifest)


def held_out_errors(model: Taught) -> Errors:
    """The two errors of each OK photo that calibrated the model, each measured by a model that had not seen it.

    Raises:
        ConfigError: the detector has no alpha.
        NotCalibratedError: the model keeps no such errors.
    """
    _require_alpha(model)
    if not model.terms.size:
        raise NotCalibratedError("The model keeps no errors of held-out photos; calibrate it with 'andon calibrate'.")
    return model.terms


def errors_of(model: Taught, photos: Sequence[Photo]) -> Errors:
    """The two errors of each photo.

    Raises:
        ConfigError: the detector has no alpha.
        ImageError: a photo cannot be read.
    """
    _require_alpha(model)
    errors = []
    for scored in track(model.pipeline.score_all(photos), "Scoring", len(photos)):
        if isinstance(scored, Failure):
            raise ImageError(scored.error)
        errors.append(scored.terms)
    return np.array(errors, dtype=np.float64)


def table(ok: Errors, tested: Errors, is_anomalous: NDArray[np.bool_], percentile: float) -> list[Choice]:
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
        rows.append(Choice(alpha, threshold, precision, recall))
    return rows


def _require_alpha(model: Taught) -> None:
    if not model.detector.capabilities.terms:
        raise ConfigError(
            f"The model's detector is {model.recipe.detector}, which has no alpha; give a skip_ganomaly model."
        )
