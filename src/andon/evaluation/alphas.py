"""What each alpha of Skip-GANomaly gives: the share of the reconstruction error in the image score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError, ImageError
from andon.pipeline import Pipeline
from andon.progress import track
from andon.types import Failure

ALPHAS = tuple(tenths / 10 for tenths in range(1, 10))

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


def with_alpha(pipeline: Pipeline, alpha: float) -> Pipeline:
    """The same model with another alpha, not calibrated.

    Raises:
        ConfigError: its detector has no alpha.
    """
    recipe = pipeline.recipe
    if not hasattr(recipe.detector_config, "alpha"):
        raise ConfigError(f"The model's detector is {recipe.detector}, which has no alpha; give a skip_ganomaly model.")
    recipe = replace(recipe, detector_config=replace(recipe.detector_config, alpha=alpha))
    detector = recipe.new_detector(pipeline.detector.backbone).restore(pipeline.detector.learned())
    return Pipeline(recipe, detector, manifest=pipeline.manifest, precision=pipeline.precision)


def errors_of(pipeline: Pipeline, photos: Sequence[Path]) -> Errors:
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
