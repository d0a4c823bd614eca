"""Fit a recipe's detector, and score OK photos by models that have not seen them: cross-validation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from andon import detectors
from andon.backbones import Backbone
from andon.datasets import Partition
from andon.detectors import Checkpoint, Detector, LabelledBatches
from andon.errors import ImageError
from andon.line.pipeline import Pipeline, Prepared
from andon.line.scorer import Scorer
from andon.models.taught import Taught, assemble
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.recipes import Recipe
from andon.scorers import CpuScorer, TorchScorer
from andon.teaching.photos import Batches, Frames
from andon.teaching.remembering import RememberingBackbone
from andon.teaching.thresholds import HeldOut, held_out_of
from andon.types import Precision, Sample


@dataclass(frozen=True)
class Fitting:
    """All that the models of one training share.

    Attributes:
        recipe: with its steps settled.
        ng: labelled NG photos that every model learns from; none for most detectors.
        frames: the photos as they were prepared, once for all models.
    """

    recipe: Recipe
    backbone: Backbone
    ng: Sequence[Sample]
    precision: Precision
    frames: Frames

    def with_folds(self, parts: Partition, checkpoint: Checkpoint | None = None) -> tuple[Taught, list[HeldOut]]:
        """The model of all photos that train, and the scores of OK photos by models that had not seen them.

        A memory bank looks at each photo once for all folds; other detectors are fitted again for each.

        Args:
            parts: its folds are scored, and its calibration split.
        """
        photos, folds = _paths(parts.train), [_paths(fold.held_out) for fold in parts.folds]
        if not (folds and detectors.detector_class(self.recipe.detector).capabilities.fits_folds):
            held_out = self._fold_by_fold(parts)
            taught = self._fitted(parts.train, "Training", checkpoint)
            return taught, held_out + self._scored(taught.pipeline, _paths(parts.calibration))
        remembering = RememberingBackbone(self.backbone)
        detector = detectors.of_recipe(self.recipe, remembering)
        batches = Batches(photos, self.recipe, "Training", detector.refuses, self.frames)
        without = detector.fit_folds(batches, self.recipe.training.seed, batches.places_of(_not_training(parts)))
        detector.backbone = self.backbone
        taught = self._assembled(detector)
        if without is None:  # too many photos to hold their patches in memory at once
            return taught, self._fold_by_fold(parts)
        scorers = [_scorer(taught.pipeline.scorer, one, remembering) for one in without]
        pipelines = [replace(taught.pipeline, scorer=scorer) for scorer in scorers]
        return taught, [one for fold in zip(pipelines, folds, strict=True) for one in self._scored(*fold)]

    def _fold_by_fold(self, parts: Partition) -> list[HeldOut]:
        held_out: list[HeldOut] = []
        for number, fold in enumerate(parts.folds, start=1):
            fitted = self._fitted(fold.train, f"Training without fold {number} of {len(parts.folds)}")
            held_out += self._scored(fitted.pipeline, _paths(fold.held_out))
        return held_out

    def _fitted(self, ok: Sequence[Sample], what: str, checkpoint: Checkpoint | None = None) -> Taught:
        """The recipe's detector, fitted, and a pipeline of it that is not calibrated."""
        detector = detectors.of_recipe(self.recipe, self.backbone)
        batches = Batches(_paths(ok), self.recipe, what, detector.refuses, self.frames)
        ng = Batches(_paths(self.ng), self.recipe, f"{what} with NG photos", detector.refuses, self.frames)
        detector.fit(LabelledBatches(batches, ng) if self.ng else batches, self.recipe.training.seed, checkpoint)
        return self._assembled(detector)

    def _assembled(self, detector: Detector[Any]) -> Taught:
        return Taught(self.recipe, detector, assemble(self.recipe, detector, precision=self.precision))

    def _scored(self, pipeline: Pipeline, photos: Sequence[Path]) -> list[HeldOut]:
        """OK photos that the model has not seen, scored as the frames that were prepared for all models.

        Raises:
            ImageError: the detector cannot use a photo.
        """

        def prepared(photo: Path) -> Prepared:
            made = self.frames.prepared(photo)
            if reason := pipeline.scorer.refuses(made.frame):
                raise ImageError(f"{photo} {reason}")
            return made

        scored = pipeline.score_prepared(ordered_map(prepared, photos))
        return held_out_of(pipeline, track(scored, "Calibrating", len(photos)))


def _scorer(final: Scorer, without: Detector[Any], remembering: RememberingBackbone) -> Scorer:
    """A scorer as the final one, of a fold. What the network gave in training is what it gives in f32."""
    if isinstance(final, CpuScorer) and final.precision == "f32":
        return final.of(without, remembering)
    return cast(TorchScorer, final).of(without)


def _paths(samples: Iterable[Sample]) -> list[Path]:
    return [sample.path for sample in samples]


def _not_training(parts: Partition) -> list[list[Path]]:
    """Of each fold the photos that its model may not see: those held out, and their twins of other sessions."""
    seen = [{sample.path for sample in fold.train} for fold in parts.folds]
    return [[sample.path for sample in parts.train if sample.path not in paths] for paths in seen]
