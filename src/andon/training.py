"""Recipe + photos -> a taught and calibrated pipeline."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from andon import backbones, datasets, detectors, images, likeness, recipes
from andon.backbones import Backbone
from andon.calibration import Calibration, CalibrationRule, calibrate, sweep_table
from andon.datasets import Dataset, Duplicates, Partition
from andon.detectors import Batch, Checkpoint, History, LabelledBatches
from andon.errors import ConfigError, DatasetError, ImageError
from andon.evaluation import alphas
from andon.parallel import ordered_map
from andon.pipeline import Photo, Pipeline, run_steps, to_batch
from andon.preprocess import Step
from andon.progress import track
from andon.recipes import Recipe
from andon.runtime import Precision
from andon.types import Failure, Frame, Sample

LOG = logging.getLogger("andon")
CACHE_BYTES = 2**30
MAX_LISTED = 5

Digests = dict[str, str]
"""File -> sha256."""


def train(
    data: Path | str,
    *,
    recipe: str = "default",
    settings: Iterable[str] = (),
    layout: str | None = None,
    ng_names: Sequence[str] = (),
    allow_duplicates: bool = False,
    precision: Precision = "auto",
) -> Pipeline:
    """Learn from the OK photos in the folder `data` and calibrate on OK photos that were held out.

    Args:
        recipe: the name of a recipe, or the path of a TOML file.
        settings: "section.name=value" laid over the recipe, such as "detector.coreset_ratio=0.05".
        layout: None recognises it; see `andon.datasets.read`.
        ng_names: how the data set calls its anomalous classes, where it has names of its own.
        allow_duplicates: teach even where a test photo is identical to a training photo.
        precision: what the network computes in when the model is calibrated; it is taught in float32 always.

    Raises:
        ConfigError: the recipe or a setting is wrong.
        DatasetError: the folder holds no usable data set, or test photos are identical to training photos.
        NotCalibratedError: too few OK photos for the calibration rule.
        WeightsError: the backbone's weights cannot be had.
    """
    plan = recipes.read(recipe, settings)
    dataset = datasets.read(Path(data), layout, ng_names)
    return teach(plan, dataset, allow_duplicates=allow_duplicates, precision=precision)


def teach(
    recipe: Recipe,
    dataset: Dataset,
    *,
    allow_duplicates: bool = False,
    precision: Precision = "auto",
    checkpoint: Path | None = None,
) -> Pipeline:
    """`train`, on a data set that has been read.

    Args:
        checkpoint: file from which a training by gradient that was cut off goes on. It is left there.
    """
    LOG.info(dataset.describe())
    duplicates = datasets.find_duplicates(dataset.samples)
    remarks = _warn(datasets.check_leaks(duplicates, allow_duplicates))
    remarks += _warn(f"{path} is left out: {why}" for path, why in duplicates.unreadable.items())
    readable = [sample for sample in dataset.samples if sample.path not in duplicates.unreadable]
    parts = datasets.split(readable, recipe.training.seed, duplicates.keep_together, _folds(recipe))
    remarks.append(parts.note)
    LOG.info(parts.note)
    ng, said = _ng_to_learn_from(recipe, readable, duplicates)
    remarks += _warn(said)
    recipe.calibration.check(len(parts.calibration) or sum(len(fold.held_out) for fold in parts.folds))

    backbone = backbones.create(recipe.backbone)
    recipe = replace(recipe, steps=settle_steps(recipe.steps, _paths(parts.train)))
    held_out = _scored_by_folds(recipe, backbone, parts, ng, precision)
    digests = _training_digests(dataset, parts, ng)
    place = None if checkpoint is None else Checkpoint(checkpoint, _fingerprint(recipe, backbone, digests))
    pipeline = _taught(recipe, backbone, parts.train, ng, "Teaching", precision, place)
    history = pipeline.detector.history
    remarks += [history.note] if history else []
    held_out += score_ok(pipeline, _paths(parts.calibration))
    calibration = _calibrated(recipe.calibration, held_out)
    LOG.info(calibration.describe())
    remarks += _warn(unusual(held_out))
    manifest = _manifest(dataset, parts, digests, remarks)
    manifest |= {"calibration_precision": pipeline.scorer.precision} | _epochs(history) | _errors(held_out)
    thumbnails = _thumbnails(recipe, _paths(parts.train))
    return replace(pipeline, calibration=calibration, manifest=manifest, thumbnails=thumbnails)


def _thumbnails(recipe: Recipe, photos: Sequence[Path]) -> tuple[bytes, ...]:
    """A small picture of each photo that teaches, for a detector that can say which of them a region looks like."""
    if not (recipe.training.thumbnails and detectors.detector_class(recipe.detector).keeps_patches):
        return ()
    if recipe.tiling is not None:
        return ()
    steps = tuple(recipe.steps.values())

    def shrink(photo: Path) -> bytes:
        return likeness.thumbnail(run_steps(steps, Frame.whole(images.read(photo)), photo).image)

    return tuple(track(ordered_map(shrink, photos), "Keeping thumbnails", len(photos)))


def _ng_to_learn_from(
    recipe: Recipe, samples: Sequence[Sample], duplicates: Duplicates
) -> tuple[Sequence[Sample], list[str]]:
    """The NG photos that teach, none for a detector that learns from OK photos alone; and what the user must know.

    Raises:
        ConfigError: the recipe takes NG photos away from testing for a detector that does not want them, or cuts the
            photos of one that does into tiles.
        DatasetError: the detector needs NG photos and there are none.
    """
    share = recipe.training.ng_from_test
    if not detectors.detector_class(recipe.detector).needs_ng:
        if share > 0:
            raise ConfigError(
                f"training.ng_from_test is {share:g}, but the detector {recipe.detector} learns from OK photos alone; "
                "leave the setting out."
            )
        return (), []
    if recipe.tiling is not None:
        raise ConfigError(
            f"{recipe.detector} learns from whole photos, as most tiles of an NG photo show no defect; take 'tiling' "
            "out of the recipe."
        )
    ng, note = datasets.ng_to_learn_from(samples, share, recipe.training.seed, duplicates.keep_together)
    return ng, [
        note,
        f"{recipe.detector} is no OK-only method: it knows the defects of the photos that it was shown, and may "
        "overlook every other kind.",
    ]


def settle_steps(steps: dict[str, Step], photos: Sequence[Path]) -> dict[str, Step]:
    """The steps with their open parameters settled from the OK photos, each as the steps before it leave them."""
    settled: dict[str, Step] = {}
    for name, step in steps.items():
        before = tuple(settled.values())
        frames = (run_steps(before, Frame.whole(images.read(photo)), photo) for photo in photos)
        settled[name] = step.fit(frames)
    return settled


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
    calibration = _calibrated(rule, held_out, damaged)
    if damaged:
        LOG.info(sweep_table([photo.score for photo in held_out], [photo.score for photo in damaged]))
    manifest = dict(pipeline.manifest) | {
        "remarks": [*pipeline.manifest.get("remarks", []), f"Calibrated anew with {len(ok)} OK photos."],
        "calibration_precision": pipeline.scorer.precision,
        "calibration_sha256": {
            f"{number} {Path(photo.path).name}": photo.sha256 for number, photo in enumerate(held_out, start=1)
        },
    }
    manifest |= _errors(held_out)
    recipe = replace(pipeline.recipe, calibration=rule)
    return replace(pipeline, recipe=recipe, calibration=calibration, manifest=manifest)


def _calibrated(rule: CalibrationRule, ok: Sequence[HeldOut], ng: Sequence[HeldOut] = ()) -> Calibration:
    return calibrate(
        rule, [photo.score for photo in ok], [photo.map_peak for photo in ok], [photo.score for photo in ng]
    )


class Batches:
    """OK photos, or their tiles, as the detector takes them, the same at each iteration; kept in memory while they fit.

    They come as torch tensors: x (B, 3, H, W) float32 RGB in [0, 1] and roi (B, H, W) bool. A seeded share of them is
    enhanced, as `recipe.training.enhanced_share` says.
    """

    def __init__(
        self, photos: Sequence[Path], recipe: Recipe, what: str, refuses: Callable[[Frame], str | None] | None = None
    ) -> None:
        self._photos = photos
        self._refuses = refuses
        self._steps = tuple(recipe.steps.values())
        self._plain_steps = tuple(step for step in self._steps if not step.enhances)
        self._enhanced = draw(photos, recipe.training.enhanced_share, recipe.training.seed)
        self._tiling = recipe.tiling
        self._batch_size = recipe.training.batch_size
        self._what = what
        self._kept: dict[Path, Frame] = {}
        self._room = CACHE_BYTES

    def __iter__(self) -> Iterator[Batch]:
        frames: Iterator[Frame] = track(ordered_map(self._frame, self._photos), self._what, len(self._photos))
        if self._tiling is not None:
            frames = (tile.frame for whole in map(self._tiling.cut, frames) for tile in whole)
        while batch := list(islice(frames, self._batch_size)):
            x, roi = to_batch(batch)
            yield torch.from_numpy(x), torch.from_numpy(roi)

    def _frame(self, photo: Path) -> Frame:
        if photo in self._kept:
            return self._kept[photo]
        steps = self._steps if photo in self._enhanced else self._plain_steps
        frame = run_steps(steps, Frame.whole(images.read(photo)), photo)
        if self._refuses and (reason := self._refuses(frame)):
            raise ImageError(f"{photo} {reason}")
        self._room -= frame.image.nbytes + frame.roi.nbytes
        if self._room >= 0:
            self._kept[photo] = frame
        return frame


def draw(photos: Sequence[Path], share: float, seed: int) -> frozenset[Path]:
    """A share of the photos, rounded to whole photos; the same for the same seed."""
    order = np.random.default_rng(seed).permutation(len(photos))
    return frozenset(photos[index] for index in order[: round(share * len(photos))])


def _taught(
    recipe: Recipe,
    backbone: Backbone,
    ok: Sequence[Sample],
    ng: Sequence[Sample],
    what: str,
    precision: Precision,
    checkpoint: Checkpoint | None = None,
) -> Pipeline:
    detector = recipe.new_detector(backbone)
    batches = Batches(_paths(ok), recipe, what, detector.refuses)
    ng_batches = Batches(_paths(ng), recipe, f"{what} with NG photos", detector.refuses)
    detector.fit(LabelledBatches(batches, ng_batches) if ng else batches, recipe.training.seed, checkpoint)
    return Pipeline(recipe, detector, precision=precision)


def _scored_by_folds(
    recipe: Recipe, backbone: Backbone, parts: Partition, ng: Sequence[Sample], precision: Precision
) -> list[HeldOut]:
    """Every OK photo, scored by a model that has not seen it; empty where there are no folds."""
    held_out: list[HeldOut] = []
    for number, fold in enumerate(parts.folds, start=1):
        what = f"Teaching without fold {number} of {len(parts.folds)}"
        taught = _taught(recipe, backbone, fold.train, ng, what, precision)
        held_out += score_ok(taught, _paths(fold.held_out))
    return held_out


def _folds(recipe: Recipe) -> int:
    """How many models calibrate where few photos can be held out: one where teaching takes long."""
    by_gradient = detectors.detector_class(recipe.detector).learns_by_gradient
    return recipe.training.folds or (1 if by_gradient else datasets.FOLDS)


def _fingerprint(recipe: Recipe, backbone: Backbone, training_digests: dict[str, Digests]) -> str:
    """Of all that the teaching of one model depends on."""
    parts = [version("andon"), version("torch"), recipe.to_tree(), backbones.fingerprint(backbone), training_digests]
    return images.sha256(json.dumps(parts).encode())


def _epochs(history: History | None) -> dict[str, Any]:
    if history is None:
        return {}
    epochs = len(next(iter(history.losses.values())))
    return {"epochs": epochs, "best_epoch": history.best_epoch, "losses": history.losses}


def _errors(held_out: Sequence[HeldOut]) -> dict[str, Any]:
    """For `andon alphas`: models of folds are not kept, so none could measure these photos again."""
    errors = [photo.errors for photo in held_out if photo.errors]
    return {alphas.HELD_OUT_ERRORS: errors} if errors else {}


def _manifest(
    dataset: Dataset, parts: Partition, training_digests: dict[str, Digests], remarks: list[str]
) -> dict[str, Any]:
    """Where the model comes from; nothing in it depends on when or in which folder it was taught."""
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("andon", "torch", "openvino", "numpy", "opencv-python-headless")},
        },
        "data": dataset.describe(),
        "remarks": [remark.replace(f"{dataset.root}{os.sep}", "") for remark in remarks],
        **training_digests,
        "calibration_sha256": _digests(dataset, parts.calibration),
    }


def _training_digests(dataset: Dataset, parts: Partition, ng: Sequence[Sample]) -> dict[str, Digests]:
    """Of the photos that teach."""
    digests = {"training_sha256": _digests(dataset, parts.train)}
    return digests | ({"training_ng_sha256": _digests(dataset, ng)} if ng else {})


def _digests(dataset: Dataset, samples: Iterable[Sample]) -> Digests:
    return {
        sample.path.relative_to(dataset.root).as_posix(): images.sha256(images.read_bytes(sample.path))
        for sample in samples
    }


def _paths(samples: Iterable[Sample]) -> list[Path]:
    return [sample.path for sample in samples]


def _warn(remarks: Iterable[str]) -> list[str]:
    remarks = list(remarks)
    for remark in remarks:
        LOG.warning(remark)
    return remarks
