"""New photos join a model's memory bank, and its thresholds are drawn again.

The old photos are not at hand; of them a model keeps the scores that they had when they were held out. The bank grows,
so no photo can now be farther from it: those scores can only have fallen. They stay as they are, which sets thresholds
too high rather than too low by what the new photos would take off them. Each new photo is scored by a bank that has
not seen it, nor its twins: the old bank and the rows that photos of the other folds add to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from andon import datasets
from andon.detectors import Detector
from andon.images import OpenedPhotos
from andon.improving.choosing import Reviewed
from andon.line import nearest_ok
from andon.line.calibration import Calibration
from andon.line.nearest_ok import Thumbnail
from andon.models.manifest import Photos, Sessions
from andon.models.taught import Taught
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.scorers.choose import of_other_bank
from andon.teaching.photos import Batches, Frames
from andon.teaching.thresholds import Groups, HeldOut, held_out_of, one_of_each, require_the_same_part
from andon.types import Sample

LEAVE_ONE_OUT_BELOW = 10  # photos, as in training
RADIUS = "bank_radius"
LEARNING, CALIBRATING, THUMBNAILS = "Learning from new photos", "Calibrating", "Small pictures"
"""Phases of `andon.progress`."""


@dataclass(frozen=True, eq=False)
class Grown:
    """Attributes:
    model: calibrated anew.
    joined: the new photos of which patches joined the bank.
    held_out: the new photos that count for the thresholds, one of each picture.
    """

    model: Taught
    joined: tuple[Reviewed, ...]
    held_out: tuple[HeldOut, ...]


def grow(model: Taught, before: Calibration, new: Sequence[Reviewed], twins: Groups, opened: OpenedPhotos) -> Grown:
    """The model with a bank that covers the new photos, too, and thresholds from all.

    Raises:
        DatasetError: the new photos seem to show another part.
        ImageError: a photo cannot be used.
        NotCalibratedError: the rule cannot make thresholds.
    """
    recipe, detector, paths = model.recipe, model.detector, [one.path for one in new]
    frames = Frames(recipe.steps.values(), opened)
    batches = Batches(paths, recipe, LEARNING, detector.refuses, frames)
    folds = _folds(paths, twins, recipe.training.seed)
    first = max(len(model.manifest.trained), int(_origin(detector).max()) + 1)
    facts = model.manifest.facts
    grown, without = detector.grown(batches, batches.places_of(folds), radius=facts[RADIUS], first=first)
    held_out = [one for fold, other in zip(folds, without, strict=True) for one in _scored(model, other, fold, frames)]
    held_out = one_of_each(held_out, twins)
    require_the_same_part(before, held_out)
    calibration = with_scores(before, [one.score for one in held_out])
    manifest = replace(
        model.manifest.with_threshold(_about_threshold(before, held_out)),
        trained=_added(model.manifest.trained, new),
        facts={**facts, **grown.facts, "patches": facts["patches"] + grown.facts["patches"]},
        sessions=Sessions(),
    )
    thumbnails = model.pipeline.thumbnails and (*model.pipeline.thumbnails, *_thumbnails(new, frames))
    scorer = of_other_bank(model.pipeline.scorer, grown)
    pipeline = replace(model.pipeline, scorer=scorer, calibration=calibration, thumbnails=thumbnails)
    joined = set((_origin(grown)[len(_origin(detector)) :] - first).tolist())
    of_photos = zip(new, batches.places_of([[path] for path in paths]), strict=True)
    return Grown(
        replace(model, detector=grown, pipeline=pipeline, manifest=manifest),
        tuple(photo for photo, numbers in of_photos if numbers & joined),
        tuple(held_out),
    )


def with_scores(before: Calibration, scores: Sequence[float]) -> Calibration:
    """The thresholds that the same rule makes from the old scores and these.

    The map's threshold stays, as a model does not hold the map values of its old photos.

    Raises:
        NotCalibratedError: the rule cannot make thresholds.
    """
    rule, ok = before.rule, np.sort(np.concatenate([before.ok_scores, np.asarray(scores, np.float64)]))
    rule.check(len(ok))
    threshold = rule.threshold(ok)
    return Calibration(rule, ok, threshold, rule.review_threshold(ok, threshold), before.pixel_threshold)


def _folds(paths: Sequence[Path], twins: Groups, seed: int) -> list[list[Path]]:
    """The new photos in folds, twins together; each alone where there are few."""
    samples = [Sample(path) for path in paths]
    different = datasets.count_different(samples, twins)
    k = different if len(paths) < LEAVE_ONE_OUT_BELOW else min(datasets.FOLDS, different)
    return [[sample.path for sample in fold] for fold in datasets.deal(samples, k, seed, twins)]


def _scored(model: Taught, other: Detector[Any], photos: Sequence[Path], frames: Frames) -> list[HeldOut]:
    pipeline = replace(model.pipeline, scorer=of_other_bank(model.pipeline.scorer, other))
    scored = pipeline.score_prepared(ordered_map(frames.prepared, photos))
    return held_out_of(pipeline, track(scored, CALIBRATING, len(photos)))


def _origin(detector: Detector[Any]) -> NDArray[np.int64]:
    """(N,) the number of each bank row's photo."""
    memory = detector.memory()
    assert memory is not None  # it can grow
    return memory.origin[:, 0].astype(np.int64)


def _about_threshold(before: Calibration, held_out: Sequence[HeldOut]) -> str:
    return (
        f"The thresholds rest on {len(before.ok_scores)} held-out scores of the version before and on {len(held_out)} "
        "reviewed photos, each scored by a bank that has not seen it."
    )


def _added(trained: Photos, new: Sequence[Reviewed]) -> Photos:
    digests = tuple(one.inspection.photo_sha256 for one in new)
    return Photos((*trained.names, *(one.name for one in new)), (*trained.digests, *digests))


def _thumbnails(new: Sequence[Reviewed], frames: Frames) -> tuple[Thumbnail, ...]:
    jpegs = ordered_map(lambda one: nearest_ok.thumbnail(frames.read(one.path).image), new)
    return tuple(Thumbnail(one.name, jpeg) for one, jpeg in zip(new, track(jpegs, THUMBNAILS, len(new)), strict=True))
