"""Fit a recipe's detector, and score OK photos by models that have not seen them: cross-validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

from andon import backbones, detectors, progress
from andon.backbones import Backbone
from andon.datasets import Partition
from andon.detectors import Checkpoint, Detector, LabelledBatches
from andon.errors import ImageError
from andon.images import OpenedPhotos
from andon.inference.memory_bank import MemoryBank
from andon.line.pipeline import Pipeline, Prepared
from andon.line.scorer import Scorer
from andon.models.taught import Taught, assemble
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.recipes import Recipe
from andon.scorers.cpu import CpuScorer
from andon.scorers.graph import GraphScorer
from andon.scorers.precision import settle
from andon.scorers.reference import TorchScorer
from andon.teaching.photos import Batches, Frames, settle_steps
from andon.teaching.remembering import RememberingBackbone
from andon.teaching.thresholds import CALIBRATING, HeldOut, held_out_of
from andon.types import Precision, Sample

TRAINING = "Training"
"""The phase of `andon.progress` in which photos are looked at."""


@dataclass(frozen=True)
class FoldModel:
    """A model of all photos that train but one fold's, and the scores of these.

    Attributes:
        trained: what it learned from, in the order of `Nearest.origin`.
    """

    pipeline: Pipeline
    trained: Sequence[Path]
    held_out: Sequence[HeldOut]


@dataclass(frozen=True)
class Fitting:
    """All that the models of one training share.

    Attributes:
        recipe: with its steps settled.
        ng: labelled NG photos that every model learns from; none for most detectors.
        frames: the photos as they were prepared, once for all models.
        white: see `images.load`.
    """

    recipe: Recipe
    backbone: Backbone
    ng: Sequence[Sample]
    precision: Precision
    frames: Frames
    white: float | None = None

    @classmethod
    def of(
        cls, recipe: Recipe, ok: Sequence[Sample], ng: Sequence[Sample], precision: Precision, opened: OpenedPhotos
    ) -> Self:
        """What the OK photos settle: what is white, and the open parameters of the steps.

        Args:
            ok: all photos that train.
        """
        backbone = backbones.create(recipe.backbone)
        white = opened.learn_white(_paths(ok))
        recipe = replace(recipe, steps=settle_steps(recipe.steps, _paths(ok), opened))
        return cls(recipe, backbone, ng, precision, Frames(recipe.steps.values(), opened), white)

    def with_folds(self, parts: Partition, checkpoint: Checkpoint | None = None) -> tuple[Taught, list[HeldOut]]:
        """The model of all photos that train, and the scores of OK photos by models that had not seen them.

        Args:
            parts: its folds are scored, and its calibration split.
        """
        taught, folds = self.by_fold(parts, checkpoint)
        held_out = [one for fold in folds for one in fold.held_out]
        return taught, held_out + self._scored(taught.pipeline, _paths(parts.calibration))

    def by_fold(self, parts: Partition, checkpoint: Checkpoint | None = None) -> tuple[Taught, Iterator[FoldModel]]:
        """The model of all photos that train, and one model after the other without each fold.

        A memory bank looks at each photo once for all folds; other detectors are fitted again for each, with the
        features that were computed once, as far as they fit into memory.
        """
        can = detectors.detector_class(self.recipe.detector).capabilities
        photos, folds = _paths(parts.train), [_paths(fold.held_out) for fold in parts.folds]
        if not folds or can.learns_by_gradient:  # there, features are no part of what takes long
            return self._fitted(parts.train, TRAINING, self.backbone, checkpoint), self._fold_by_fold(parts)
        unused = can.fits_folds and settle(self.precision) != "f32"  # then held-out photos have other features
        remembering = RememberingBackbone(self.backbone, room=0 if unused else None)
        if not can.fits_folds:
            return self._fitted(parts.train, TRAINING, remembering), self._fold_by_fold(parts, remembering)
        detector = detectors.of_recipe(self.recipe, remembering)
        batches = Batches(photos, self.recipe, TRAINING, detector.refuses, self.frames)
        without = detector.fit_folds(batches, self.recipe.training.seed, batches.places_of(_not_training(parts)))
        taught = self._assembled(detector)
        if without is None:
            return taught, self._fold_by_fold(parts, remembering)
        scorers = [scorer_of_fold(taught.pipeline.scorer, one, remembering) for one in without]
        pipelines = [replace(taught.pipeline, scorer=scorer) for scorer in scorers]
        each = zip(pipelines, folds, strict=True)
        return taught, (FoldModel(pipeline, photos, self._scored(pipeline, fold)) for pipeline, fold in each)

    def _fold_by_fold(self, parts: Partition, backbone: Backbone | None = None) -> Iterator[FoldModel]:
        for number, fold in enumerate(parts.folds, start=1):
            what = training_without(number, len(parts.folds))
            pipeline = self._fitted(fold.train, what, backbone or self.backbone).pipeline
            yield FoldModel(pipeline, _paths(fold.train), self._scored(pipeline, _paths(fold.held_out)))

    def _fitted(
        self, ok: Sequence[Sample], what: str, backbone: Backbone, checkpoint: Checkpoint | None = None
    ) -> Taught:
        """The recipe's detector, fitted with this backbone, and a pipeline of it that is not calibrated."""
        detector = detectors.of_recipe(self.recipe, backbone)
        batches = Batches(_paths(ok), self.recipe, what, detector.refuses, self.frames)
        ng = Batches(_paths(self.ng), self.recipe, f"{what} with NG photos", detector.refuses, self.frames)
        detector.fit(LabelledBatches(batches, ng) if self.ng else batches, self.recipe.training.seed, checkpoint)
        progress.finish(what)  # it may have taken fewer passes than it could
        return self._assembled(detector)

    def _assembled(self, detector: Detector[Any]) -> Taught:
        detector.backbone = self.backbone
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
        return held_out_of(pipeline, track(scored, CALIBRATING, len(photos)))


def scorer_of_fold(final: Scorer, without: Detector[Any], remembering: RememberingBackbone) -> Scorer:
    """A scorer as the final one, of a fold. What the network gave in training is what it gives in f32."""
    if isinstance(final, TorchScorer):
        return final.of(without)
    if final.precision == "f32":
        return CpuScorer(without, final.batch_size, "f32", remembering)
    return cast(GraphScorer, final).of(cast(MemoryBank, without.memory()))


def training_without(fold: int, folds: int) -> str:
    """The phase in which a detector is fitted again, without a fold."""
    return f"Training without fold {fold} of {folds}"


def _paths(samples: Iterable[Sample]) -> list[Path]:
    return [sample.path for sample in samples]


def _not_training(parts: Partition) -> list[list[Path]]:
    """Of each fold the photos that its model may not see: those held out, and their twins of other sessions."""
    seen = [{sample.path for sample in fold.train} for fold in parts.folds]
    return [[sample.path for sample in parts.train if sample.path not in paths] for paths in seen]
