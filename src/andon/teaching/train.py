"""Recipe + photos -> a taught and calibrated pipeline."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from andon import backbones, datasets, detectors, images, recipes
from andon.backbones import Backbone
from andon.datasets import Dataset, Duplicates, Partition
from andon.detectors import Checkpoint, History, LabelledBatches
from andon.errors import ConfigError
from andon.line import nearest_ok as likeness
from andon.line.pipeline import Pipeline
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.recipes import Recipe
from andon.scorers.cpu import Precision
from andon.teaching.photos import Batches, Frames, settle_steps
from andon.teaching.thresholds import HeldOut, calibrated, errors_for_alphas, score_ok, unusual
from andon.types import Sample

LOG = logging.getLogger("andon")

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
    frames = Frames(recipe.steps.values())
    held_out = _scored_by_folds(recipe, backbone, parts, ng, precision, frames)
    digests = _training_digests(dataset, parts, ng)
    place = None if checkpoint is None else Checkpoint(checkpoint, _fingerprint(recipe, backbone, digests))
    pipeline = _taught(recipe, backbone, parts.train, ng, "Teaching", precision, frames, place)
    history = pipeline.detector.history
    remarks += [history.note] if history else []
    held_out += score_ok(pipeline, _paths(parts.calibration))
    calibration = calibrated(recipe.calibration, held_out)
    LOG.info(calibration.describe())
    remarks += _warn(unusual(held_out))
    manifest = _manifest(dataset, parts, digests, remarks)
    manifest |= {"calibration_precision": pipeline.scorer.precision} | _epochs(history) | errors_for_alphas(held_out)
    thumbnails = _thumbnails(recipe, _paths(parts.train), frames)
    return replace(pipeline, calibration=calibration, manifest=manifest, thumbnails=thumbnails)


def _thumbnails(recipe: Recipe, photos: Sequence[Path], frames: Frames) -> tuple[bytes, ...]:
    """A small picture of each photo that teaches, for a detector that can say which of them a region looks like."""
    if not (recipe.training.thumbnails and detectors.detector_class(recipe.detector).keeps_patches):
        return ()
    if recipe.tiling is not None:
        return ()

    def shrink(photo: Path) -> bytes:
        return likeness.thumbnail(frames.read(photo).image)

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


def _taught(
    recipe: Recipe,
    backbone: Backbone,
    ok: Sequence[Sample],
    ng: Sequence[Sample],
    what: str,
    precision: Precision,
    frames: Frames,
    checkpoint: Checkpoint | None = None,
) -> Pipeline:
    detector = recipe.new_detector(backbone)
    batches = Batches(_paths(ok), recipe, what, detector.refuses, frames)
    ng_batches = Batches(_paths(ng), recipe, f"{what} with NG photos", detector.refuses, frames)
    detector.fit(LabelledBatches(batches, ng_batches) if ng else batches, recipe.training.seed, checkpoint)
    return Pipeline(recipe, detector, precision=precision)


def _scored_by_folds(
    recipe: Recipe,
    backbone: Backbone,
    parts: Partition,
    ng: Sequence[Sample],
    precision: Precision,
    frames: Frames,
) -> list[HeldOut]:
    """Every OK photo, scored by a model that has not seen it; empty where there are no folds."""
    held_out: list[HeldOut] = []
    for number, fold in enumerate(parts.folds, start=1):
        what = f"Teaching without fold {number} of {len(parts.folds)}"
        taught = _taught(recipe, backbone, fold.train, ng, what, precision, frames)
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
