"""Recipe + photos -> a trained and calibrated model."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from andon import backbones, datasets, detectors, images, progress, recipes
from andon.backbones import Backbone
from andon.datasets import Dataset
from andon.detectors import Checkpoint
from andon.images import OpenedPhotos
from andon.line import nearest_ok
from andon.line.appearance import Appearance
from andon.models.manifest import Photos
from andon.models.taught import Taught
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.recipes import Recipe
from andon.teaching.completing import completed, keeps_thumbnails, photos_of
from andon.teaching.expected import THUMBNAILS, at_first, expected
from andon.teaching.fitting import Fitting
from andon.teaching.plan import Plan
from andon.types import Precision, Sample

LOG = logging.getLogger("andon")


def train(
    data: Path | str,
    *,
    recipe: str = "default",
    settings: Iterable[str] = (),
    layout: str | None = None,
    ng_names: Sequence[str] = (),
    ok_names: Sequence[str] = (),
    ng_from: float | None = None,
    ignore_labels: bool = False,
    allow_duplicates: bool = False,
    precision: Precision = "auto",
    session_from: str | None = None,
    exclude: Path | str | None = None,
) -> Taught:
    """Learn from the OK photos in the folder `data` and calibrate on OK photos that were held out.

    Args:
        recipe: the name of a recipe, or the path of a TOML file.
        settings: "section.name=value" laid over the recipe, such as "detector.coreset_ratio=0.05".
        layout: None recognises it; see `andon.datasets.read`.
        ng_names, ok_names: how the data set calls NG and OK, where it has names of its own.
        ng_from: the number from which on a photo is NG, where a table of labels holds probabilities.
        ignore_labels: go by the names of folders alone, whatever tables and masks say.
        allow_duplicates: train even where a test photo is identical to a training photo.
        precision: what the network computes in when the model is calibrated; it is always trained in float32.
        session_from: what tells capture sessions apart, of which whole ones are held out: "folder", "date", "none" or a
            regular expression on file names; see `andon.datasets.with_sessions`.
        exclude: a text file that names photos to leave out; see `andon.datasets.excluding`. None takes `exclude.txt` in
            `data`, where there is one.

    Raises:
        ConfigError: the recipe or a setting is wrong.
        DatasetError: the folder holds no usable data set, or test photos are identical to training photos.
        NotCalibratedError: too few OK photos for the calibration rule.
        WeightsError: the backbone's weights cannot be found or downloaded.
    """
    plan = recipes.build(recipe, settings)
    dataset = datasets.read(
        Path(data),
        layout,
        ng_names,
        ok_names,
        also_ng=plan.data.ng_names,
        ng_from=ng_from,
        ignore_labels=ignore_labels,
    )
    dataset = datasets.excluding(dataset, None if exclude is None else Path(exclude))
    dataset = datasets.with_sessions(dataset, session_from)
    return teach(plan, dataset, allow_duplicates=allow_duplicates, precision=precision)


def teach(
    recipe: Recipe,
    dataset: Dataset,
    *,
    allow_duplicates: bool = False,
    precision: Precision = "auto",
    checkpoint: Path | None = None,
) -> Taught:
    """`train`, on a data set that has been read.

    Args:
        checkpoint: file from which a training by gradient that was cut off goes on. It is left there.
    """
    with progress.whole(at_first(dataset.samples)):
        return _teach(recipe, dataset, allow_duplicates, precision, checkpoint)


def _teach(
    recipe: Recipe, dataset: Dataset, allow_duplicates: bool, precision: Precision, checkpoint: Path | None
) -> Taught:
    plan, opened = _planned(recipe, dataset, allow_duplicates=allow_duplicates)
    fitting = Fitting.of(plan.recipe, plan.parts.train, plan.ng, precision, opened)
    progress.expect(expected(fitting, plan.parts))
    trained = {"trained": photos_of(plan, plan.parts.train), "trained_ng": photos_of(plan, plan.ng)}
    digest = _digest(fitting.recipe, fitting.backbone, trained)
    taught, held_out = fitting.with_folds(plan.parts, None if checkpoint is None else Checkpoint(checkpoint, digest))
    jpegs = _thumbnails(fitting, plan.parts.train)
    appearances = _appearances(fitting, [*plan.parts.train, *plan.parts.calibration])
    return completed(plan, taught, held_out, fitting.white, jpegs, appearances)


def _planned(recipe: Recipe, dataset: Dataset, *, allow_duplicates: bool) -> tuple[Plan, OpenedPhotos]:
    """What each photo is for, and the photos that were opened to see that."""
    LOG.info(dataset.describe())
    dataset = dataset if dataset.session_note else datasets.with_sessions(dataset)
    recipe, opened = detectors.configured(recipe), OpenedPhotos()
    duplicates = datasets.find_duplicates(dataset.samples, opened)
    return Plan.of(recipe, dataset, duplicates, allow_duplicates=allow_duplicates), opened


def _thumbnails(fitting: Fitting, samples: Sequence[Sample]) -> list[bytes]:
    """A small picture of each photo that trains, where they are kept."""
    if not keeps_thumbnails(fitting.recipe):
        return []

    def shrink(sample: Sample) -> bytes:
        return nearest_ok.thumbnail(fitting.frames.read(sample.path).image)

    return list(track(ordered_map(shrink, samples), THUMBNAILS, len(samples)))


def _appearances(fitting: Fitting, samples: Sequence[Sample]) -> list[Appearance]:
    """How each photo looks as a whole, where the recipe wants a guard."""
    if not fitting.recipe.training.guard:
        return []
    return list(ordered_map(fitting.frames.appearance, [sample.path for sample in samples]))


def _digest(recipe: Recipe, backbone: Backbone, photos: Mapping[str, Photos]) -> str:
    """A digest of all that the training of one model depends on."""
    named = {part: dict(zip(those.names, those.digests, strict=True)) for part, those in photos.items()}
    parts = [version("andon"), version("torch"), recipe.to_tree(), backbones.fingerprint(backbone), named]
    return images.sha256(json.dumps(parts).encode())
