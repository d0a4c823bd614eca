"""Recipe + photos -> a taught and calibrated pipeline."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from andon import backbones, datasets, images, recipes
from andon.backbones import Backbone
from andon.calibration import CalibrationRule, calibrate
from andon.datasets import Dataset, Partition
from andon.detectors import Batch
from andon.errors import DatasetError, ImageError
from andon.parallel import ordered_map
from andon.pipeline import Photo, Pipeline, run_steps, to_batch
from andon.preprocess import Step
from andon.progress import track
from andon.recipes import Recipe
from andon.types import Failure, Frame, Sample

LOG = logging.getLogger("andon")
CACHE_BYTES = 2**30


def train(
    data: Path | str,
    *,
    recipe: str = "default",
    settings: Iterable[str] = (),
    layout: str | None = None,
    ng_names: Sequence[str] = (),
    allow_duplicates: bool = False,
) -> Pipeline:
    """Learn from the OK photos in the folder `data` and calibrate on OK photos that were held out.

    Args:
        recipe: the name of a recipe, or the path of a TOML file.
        settings: "section.name=value" laid over the recipe, such as "detector.coreset_ratio=0.05".
        layout: None recognises it; see `andon.datasets.read`.
        ng_names: how the data set calls its anomalous classes, where it has names of its own.
        allow_duplicates: teach even where a test photo is identical to a training photo.

    Raises:
        ConfigError: the recipe or a setting is wrong.
        DatasetError: the folder holds no usable data set, or test photos are identical to training photos.
        NotCalibratedError: too few OK photos for the calibration rule.
        WeightsError: the backbone's weights cannot be had.
    """
    plan = recipes.read(recipe, settings)
    dataset = datasets.read(Path(data), layout, ng_names)
    return teach(plan, dataset, allow_duplicates=allow_duplicates)


def teach(recipe: Recipe, dataset: Dataset, *, allow_duplicates: bool = False) -> Pipeline:
    """`train`, on a data set that has been read."""
    remarks = [dataset.describe()]
    LOG.info(remarks[0])
    duplicates = datasets.find_duplicates(dataset.samples)
    remarks += _warn(datasets.check_leaks(duplicates, allow_duplicates))
    remarks += _warn(f"{path} is left out: {why}" for path, why in duplicates.unreadable.items())
    readable = [sample for sample in dataset.samples if sample.path not in duplicates.unreadable]
    parts = datasets.split(readable, recipe.training.seed, duplicates.keep_together)
    remarks.append(parts.note)
    LOG.info(parts.note)
    recipe.calibration.check(len(parts.calibration) or sum(len(fold.held_out) for fold in parts.folds))

    backbone = backbones.create(recipe.backbone)
    recipe = replace(recipe, steps=settle_steps(recipe.steps, _paths(parts.train)))
    ok_scores, map_peaks = _held_out_scores(recipe, backbone, parts)
    pipeline = _taught(recipe, backbone, parts.train, "Teaching")
    if parts.calibration:
        ok_scores, map_peaks = score_ok(pipeline, _paths(parts.calibration))
    calibration = calibrate(recipe.calibration, ok_scores, map_peaks)
    LOG.info(calibration.describe())
    return replace(pipeline, calibration=calibration, manifest=_manifest(dataset, parts, remarks))


def settle_steps(steps: dict[str, Step], photos: Sequence[Path]) -> dict[str, Step]:
    """The steps with their open parameters settled from the OK photos, each as the steps before it leave them."""
    settled: dict[str, Step] = {}
    for name, step in steps.items():
        before = tuple(settled.values())
        frames = (run_steps(before, Frame.whole(images.read(photo))) for photo in photos)
        settled[name] = step.fit(frames)
    return settled


def score_ok(pipeline: Pipeline, photos: Sequence[Photo]) -> tuple[list[float], list[float]]:
    """The image score and the largest map value of each held-out OK photo.

    Raises:
        ImageError: a photo cannot be read.
    """
    scores, peaks = [], []
    for scored in track(pipeline.score_all(photos), "Calibrating", len(photos)):
        if isinstance(scored, Failure):
            raise ImageError(scored.error)
        scores.append(scored.score)
        peaks.append(pipeline.map_peak(scored))
    return scores, peaks


def recalibrate(pipeline: Pipeline, rule: CalibrationRule, ok: Sequence[Photo], ng: Sequence[Photo] = ()) -> Pipeline:
    """The same model with thresholds from other photos.

    Args:
        ok: OK photos that the model was not taught with.
        ng: labelled NG photos, for the method "target-recall".

    Raises:
        DatasetError: a photo of `ok` is one that the model was taught with.
        ImageError: a photo cannot be read.
        NotCalibratedError: too few photos for the rule.
    """
    rule.check(len(ok), len(ng))
    known = set(pipeline.manifest.get("training_sha256", {}).values())
    seen = [photo for photo in ok if isinstance(photo, Path) and images.sha256(images.read_bytes(photo)) in known]
    if seen:
        raise DatasetError(
            f"{len(seen)} of the {len(ok)} photos taught this model, {seen[0]} for one, so a threshold from them would "
            "be too low; calibrate with OK photos that it has never seen."
        )
    ok_scores, map_peaks = score_ok(pipeline, ok)
    ng_scores, _ = score_ok(pipeline, ng)
    recipe = replace(pipeline.recipe, calibration=rule)
    return replace(pipeline, recipe=recipe, calibration=calibrate(rule, ok_scores, map_peaks, ng_scores))


class Batches:
    """OK photos as the detector takes them, the same at each iteration; kept in memory while they fit.

    They come as torch tensors: x (B, 3, H, W) float32 RGB in [0, 1] and roi (B, H, W) bool.
    """

    def __init__(self, photos: Sequence[Path], recipe: Recipe, what: str) -> None:
        self._photos = photos
        self._steps = tuple(recipe.steps.values())
        self._batch_size = recipe.training.batch_size
        self._what = what
        self._kept: dict[Path, Frame] = {}
        self._room = CACHE_BYTES

    def __iter__(self) -> Iterator[Batch]:
        frames = iter(track(ordered_map(self._frame, self._photos), self._what, len(self._photos)))
        while batch := list(islice(frames, self._batch_size)):
            x, roi = to_batch(batch)
            yield torch.from_numpy(x), torch.from_numpy(roi)

    def _frame(self, photo: Path) -> Frame:
        if photo in self._kept:
            return self._kept[photo]
        frame = run_steps(self._steps, Frame.whole(images.read(photo)))
        self._room -= frame.image.nbytes + frame.roi.nbytes
        if self._room >= 0:
            self._kept[photo] = frame
        return frame


def _taught(recipe: Recipe, backbone: Backbone, samples: Sequence[Sample], what: str) -> Pipeline:
    detector = recipe.new_detector(backbone)
    detector.fit(Batches(_paths(samples), recipe, what), recipe.training.seed)
    return Pipeline(recipe, detector)


def _held_out_scores(recipe: Recipe, backbone: Backbone, parts: Partition) -> tuple[list[float], list[float]]:
    """Every OK photo's score by a model that has not seen it; empty where there are no folds."""
    ok_scores: list[float] = []
    map_peaks: list[float] = []
    for number, fold in enumerate(parts.folds, start=1):
        taught = _taught(recipe, backbone, fold.train, f"Teaching without fold {number} of {len(parts.folds)}")
        scores, peaks = score_ok(taught, _paths(fold.held_out))
        ok_scores += scores
        map_peaks += peaks
    return ok_scores, map_peaks


def _manifest(dataset: Dataset, parts: Partition, remarks: list[str]) -> dict[str, Any]:
    """Where the model comes from; nothing in it depends on when or in which folder it was taught."""
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("andon", "torch", "openvino", "numpy", "opencv-python-headless")},
        },
        "layout": dataset.layout,
        "remarks": remarks,
        "training_sha256": _digests(dataset, parts.train),
        "calibration_sha256": _digests(dataset, parts.calibration),
    }


def _digests(dataset: Dataset, samples: Iterable[Sample]) -> dict[str, str]:
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
