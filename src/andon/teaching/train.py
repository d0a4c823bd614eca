"""Recipe + photos -> a trained and calibrated model."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from andon import backbones, datasets, detectors, images, progress, recipes
from andon.backbones import Backbone
from andon.datasets import Dataset, Duplicates
from andon.detectors import Capabilities, Checkpoint, History
from andon.errors import ConfigError, ImageError
from andon.images import OpenedPhotos
from andon.line import guard, nearest_ok, sessions
from andon.line.guard import Guard
from andon.line.nearest_ok import Thumbnail
from andon.models.manifest import Epochs, Manifest, Photos
from andon.models.taught import Taught
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.recipes import Recipe
from andon.teaching.expected import THUMBNAILS, at_first, expected
from andon.teaching.fitting import Fitting
from andon.teaching.outlook import without
from andon.teaching.photos import Frames
from andon.teaching.thresholds import HeldOut, calibrated, one_of_each, sessions_of, stand_out, terms_of, unusual
from andon.types import Precision, Sample

LOG = logging.getLogger("andon")
FOLD_SCORES = (
    "These models were trained with fewer photos than the final one, so their scores are 2 to 6 % higher than its own: "
    "fewer good parts than promised are rejected, and a few more defects escape."
)
PACKAGES = ("andon", "torch", "openvino", "numpy", "opencv-python-headless")


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
    LOG.info(dataset.describe())
    dataset = dataset if dataset.session_note else datasets.with_sessions(dataset)
    recipe = detectors.configured(recipe)
    opened = OpenedPhotos()
    duplicates = datasets.find_duplicates(dataset.samples, opened)
    remarks = _warn([*dataset.remarks, *datasets.check_leaks(duplicates, allow_duplicates)])
    remarks += _warn(f"{path} is left out: {why}" for path, why in duplicates.unreadable.items())
    readable = [sample for sample in dataset.samples if sample.path not in duplicates.unreadable]
    parts = datasets.split(readable, recipe.training.seed, duplicates.keep_together, _folds(recipe))
    notes = [note for note in (dataset.session_note, parts.note, FOLD_SCORES if parts.folds else "") if note]
    remarks += notes
    for note in notes:
        LOG.info(note)
    ng, said = _ng_to_learn_from(recipe, readable, duplicates)
    remarks += _warn(said)
    calibrating = parts.calibration or [sample for fold in parts.folds for sample in fold.held_out]
    recipe.calibration.check(datasets.count_different(calibrating, duplicates.keep_together))

    fitting = Fitting.of(recipe, parts.train, ng, precision, opened)
    recipe, frames = fitting.recipe, fitting.frames
    progress.expect(expected(fitting, parts))
    trained, trained_ng = (_photos(dataset, part, duplicates.sha256) for part in (parts.train, ng))
    digest = _digest(recipe, fitting.backbone, {"trained": trained, "trained_ng": trained_ng})
    place = None if checkpoint is None else Checkpoint(checkpoint, digest)
    taught, held_out = fitting.with_folds(parts, place)
    history = taught.detector.history
    remarks += [history.note] if history else []
    held_out = one_of_each(held_out, duplicates.keep_together)
    calibration = calibrated(recipe.calibration, held_out)
    LOG.info(calibration.describe())
    odd = _warn(_odd(recipe, held_out))
    of_sessions = sessions_of(held_out, calibrating)
    if of_sessions.names:
        said_of_days = sessions.in_words(sessions.by_session(calibration, of_sessions.names, of_sessions.numbers))
        LOG.info(said_of_days)
        if len(of_sessions.names) == 1 and len(datasets.sessions_of(parts.train)) > 1:
            odd.append(said_of_days)
    remarks += odd
    manifest = Manifest(
        versions={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        data=dataset.describe(),
        remarks=_within(dataset, remarks),
        threshold_remarks=_within(dataset, [*notes, *odd]),
        precision=taught.pipeline.scorer.precision,
        trained=trained,
        trained_ng=trained_ng,
        calibrated=_photos(dataset, parts.calibration, duplicates.sha256),
        excluded=_photos(dataset, dataset.excluded, {one.path: _sha256(one.path) for one in dataset.excluded}),
        epochs=_epochs(history),
        facts=taught.detector.facts,
        sessions=of_sessions,
    )
    thumbnails = _thumbnails(recipe, trained, _paths(parts.train), frames)
    known = _guard(recipe, [*parts.train, *parts.calibration], duplicates, frames)
    pipeline = replace(
        taught.pipeline, calibration=calibration, guard=known, white=fitting.white, thumbnails=thumbnails
    )
    return replace(taught, pipeline=pipeline, manifest=manifest, terms=terms_of(held_out))


def _odd(recipe: Recipe, held_out: Sequence[HeldOut]) -> list[str]:
    """A remark on the OK photos that score unlike the others, and on the threshold without them."""
    return [" ".join([one, without(recipe.calibration, held_out, stand_out(held_out))]) for one in unusual(held_out)]


def _guard(recipe: Recipe, samples: Sequence[Sample], duplicates: Duplicates, frames: Frames) -> Guard | None:
    """What the OK photos look like; None where the recipe wants no guard, or too few photos say it."""
    if not recipe.training.guard:
        return None
    appearances = list(ordered_map(frames.appearance, _paths(samples)))
    learnt = guard.learn(appearances, _held_out_together(samples, duplicates))
    if learnt is None:
        _warn([f"{len(samples)} OK photos are too few for a guard; every photo will be judged, whatever it shows."])
    else:
        LOG.info(learnt.describe())
    return learnt


def _held_out_together(samples: Sequence[Sample], duplicates: Duplicates) -> list[int]:
    """For the guard, a number for each photo: of its session, where there are enough of them, else of its twins."""
    of_sessions = datasets.sessions_of(samples)
    by_session = len(of_sessions) >= guard.MIN_PHOTOS
    groups = [[one.path for one in of_session] for of_session in of_sessions.values()] if by_session else []
    together = {path: number for number, group in enumerate(groups or duplicates.keep_together) for path in group}
    return [together.get(one.path, len(together) + number) for number, one in enumerate(samples)]


def _thumbnails(recipe: Recipe, names: Photos, photos: Sequence[Path], frames: Frames) -> tuple[Thumbnail, ...]:
    """A small picture of each photo that trains, for a detector that can say which of them a region looks like."""
    if not (recipe.training.thumbnails and _capabilities(recipe).keeps_patches) or recipe.tiling is not None:
        return ()

    def shrink(photo: Path) -> bytes:
        return nearest_ok.thumbnail(frames.read(photo).image)

    jpegs = track(ordered_map(shrink, photos), THUMBNAILS, len(photos))
    return tuple(Thumbnail(name, jpeg) for name, jpeg in zip(names.names, jpegs, strict=True))


def _capabilities(recipe: Recipe) -> Capabilities:
    return detectors.detector_class(recipe.detector).capabilities


def _ng_to_learn_from(
    recipe: Recipe, samples: Sequence[Sample], duplicates: Duplicates
) -> tuple[Sequence[Sample], list[str]]:
    """The NG photos that train, none for a detector that learns from OK photos alone; and what the user must know.

    Raises:
        ConfigError: the recipe takes NG photos away from testing for a detector that does not want them, or cuts the
            photos of one that does into tiles.
        DatasetError: the detector needs NG photos and there are none.
    """
    share = recipe.training.ng_from_test
    if not _capabilities(recipe).needs_ng:
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
        f"{recipe.detector} is not an OK-only method: it knows the defects that it was shown, and may "
        "overlook every other kind.",
    ]


def _folds(recipe: Recipe) -> int:
    """How many models score photos that they have not seen; 1 where training takes long, and a fifth is held out."""
    return recipe.training.folds or (1 if _capabilities(recipe).learns_by_gradient else datasets.FOLDS)


def _digest(recipe: Recipe, backbone: Backbone, photos: Mapping[str, Photos]) -> str:
    """A digest of all that the training of one model depends on."""
    named = {part: dict(zip(those.names, those.digests, strict=True)) for part, those in photos.items()}
    parts = [version("andon"), version("torch"), recipe.to_tree(), backbones.fingerprint(backbone), named]
    return images.sha256(json.dumps(parts).encode())


def _epochs(history: History | None) -> Epochs | None:
    if history is None:
        return None
    return Epochs(best=history.best_epoch, losses={name: tuple(values) for name, values in history.losses.items()})


def _photos(dataset: Dataset, samples: Iterable[Sample], sha256: dict[Path, str]) -> Photos:
    """The samples by their file within the data set."""
    digests = {dataset.name_of(sample.path): sha256[sample.path] for sample in samples}
    return Photos(tuple(digests), tuple(digests.values()))


def _sha256(photo: Path) -> str:
    """Of the file, in hex; that of no file where it cannot be read, as a photo that is left out need not be."""
    try:
        return images.sha256(images.read_bytes(photo))
    except ImageError:
        return images.sha256(b"")


def _within(dataset: Dataset, remarks: Iterable[str]) -> tuple[str, ...]:
    """The remarks with the photos by their file within the data set."""
    return tuple(remark.replace(f"{dataset.root}{os.sep}", "") for remark in remarks)


def _paths(samples: Iterable[Sample]) -> list[Path]:
    return [sample.path for sample in samples]


def _warn(remarks: Iterable[str]) -> list[str]:
    remarks = list(remarks)
    for remark in remarks:
        LOG.warning(remark)
    return remarks
