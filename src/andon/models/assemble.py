"""A pipeline of what a model file holds and a scorer, whatever scores."""

from __future__ import annotations

import logging
from dataclasses import replace

from andon.line.pipeline import Pipeline
from andon.line.scorer import Scorer
from andon.models.header import Header
from andon.recipes import Recipe

LOG = logging.getLogger("andon")


def uncalibrated(recipe: Recipe, scorer: Scorer) -> Pipeline:
    """The pipeline of a recipe and what scores for it."""
    return Pipeline(
        steps=tuple(recipe.steps.values()),
        scorer=scorer,
        tiling=recipe.tiling,
        map_sigma=recipe.anomaly_map.sigma,
        regions=recipe.regions,
    )


def calibrated(header: Header, scorer: Scorer) -> Pipeline:
    """The pipeline of a model file.

    It warns where its thresholds were set in another precision; an exported model is certified for the one it runs in.
    """
    calibrated_in = header.manifest.precision
    other = header.calibration is not None and calibrated_in not in (None, scorer.precision)
    if other and header.export is None:
        LOG.warning(
            f"The model was calibrated in {calibrated_in} and now runs in {scorer.precision}, which moves scores by up "
            f"to 1 %; give --precision {calibrated_in}, or calibrate it again with 'andon calibrate'."
        )
    return replace(
        uncalibrated(header.recipe, scorer),
        calibration=header.calibration,
        guard=header.guard,
        white=header.white,
        thumbnails=header.thumbnails,
        model_id=header.model_id,
    )
