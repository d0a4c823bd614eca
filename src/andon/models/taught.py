"""A model with everything that is needed to train, calibrate or save it. To inspect, its pipeline is enough."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from andon.detectors import Detector
from andon.line.calibration import Calibration
from andon.line.pipeline import Pipeline
from andon.models.assemble import uncalibrated
from andon.models.manifest import Manifest
from andon.recipes import Recipe
from andon.scorers.choose import fastest_scorer
from andon.types import Precision


@dataclass(frozen=True, eq=False)
class Taught:
    """Attributes:
    recipe: with the steps as they were settled on the OK photos, and all parameters of the detector.
    pipeline: made of the same recipe and detector.
    terms: (n, k) what the image score of each OK photo that calibrated is made of, see `types.Scores`; (n, 0) for
        most detectors.
    is_bundled: whether the file that it was read from holds the backbone's weights.
    """

    recipe: Recipe
    detector: Detector[Any] = field(repr=False)
    pipeline: Pipeline
    manifest: Manifest = field(default_factory=Manifest, repr=False)
    terms: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    is_bundled: bool = False

    @property
    def calibration(self) -> Calibration | None:
        """None until held-out OK photos have been scored."""
        return self.pipeline.calibration

    def calibrated(self, calibration: Calibration) -> Taught:
        """The same with other thresholds; nothing is compiled again."""
        return replace(self, pipeline=replace(self.pipeline, calibration=calibration))


def assemble(recipe: Recipe, detector: Detector[Any], *, precision: Precision = "auto") -> Pipeline:
    """The pipeline of a recipe and its fitted detector, not calibrated. Nothing is compiled before the first photo."""
    return uncalibrated(recipe, fastest_scorer(detector, recipe.training.batch_size, precision))
