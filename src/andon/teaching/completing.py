"""From a fitted detector and the scores of held-out photos to a model: thresholds, guard, pictures, manifest."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from andon import datasets, images
from andon.datasets import Dataset, Duplicates
from andon.detectors import History
from andon.errors import ImageError
from andon.line import guard, sessions
from andon.line.appearance import Appearance
from andon.line.guard import Guard
from andon.line.nearest_ok import Thumbnail
from andon.models.manifest import Epochs, Manifest, Photos
from andon.models.taught import Taught
from andon.recipes import Recipe
from andon.teaching.outlook import without
from andon.teaching.plan import Plan, capabilities, warn
from andon.teaching.thresholds import HeldOut, calibrated, one_of_each, sessions_of, stand_out, terms_of, unusual
from andon.types import Sample

LOG = logging.getLogger("andon")
PACKAGES = ("andon", "torch", "openvino", "numpy", "opencv-python-headless")


def completed(
    plan: Plan,
    taught: Taught,
    held_out: Sequence[HeldOut],
    white: float | None,
    jpegs: Sequence[bytes],
    appearances: Sequence[Appearance],
) -> Taught:
    """The model with all that does not depend on how its detector was fitted.

    Args:
        taught: the detector, and a pipeline that is not calibrated.
        held_out: the photos that `plan.calibrating` names.
        white: see `images.load`.
        jpegs: small pictures of the photos that train; none where none are kept.
        appearances: of the photos that train and those of the calibration split; none where the recipe wants no guard.
    """
    dataset, duplicates, parts = plan.dataset, plan.duplicates, plan.parts
    recipe, remarks = taught.recipe, list(plan.remarks)
    trained, trained_ng = photos_of(plan, parts.train), photos_of(plan, plan.ng)
    history = taught.detector.history
    remarks += [history.note] if history else []
    held_out = one_of_each(held_out, duplicates.keep_together)
    calibration = calibrated(recipe.calibration, held_out)
    LOG.info(calibration.describe())
    odd = warn(_odd(recipe, held_out))
    of_sessions = sessions_of(held_out, plan.calibrating)
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
        threshold_remarks=_within(dataset, [*plan.notes, *odd]),
        precision=taught.pipeline.scorer.precision,
        trained=trained,
        trained_ng=trained_ng,
        calibrated=photos_of(plan, parts.calibration),
        excluded=_photos(dataset, dataset.excluded, {one.path: _sha256(one.path) for one in dataset.excluded}),
        epochs=_epochs(history),
        facts=taught.detector.facts,
        sessions=of_sessions,
    )
    thumbnails = tuple(map(Thumbnail, trained.names, jpegs)) if jpegs else ()
    known = _guard(recipe, [*parts.train, *parts.calibration], duplicates, appearances)
    pipeline = replace(taught.pipeline, calibration=calibration, guard=known, white=white, thumbnails=thumbnails)
    return replace(taught, pipeline=pipeline, manifest=manifest, terms=terms_of(held_out))


def keeps_thumbnails(recipe: Recipe) -> bool:
    """Whether a small picture of each photo is kept: for a detector that can say which of them a region looks like."""
    return recipe.training.thumbnails and capabilities(recipe).keeps_patches and recipe.tiling is None


def photos_of(plan: Plan, samples: Iterable[Sample]) -> Photos:
    """The samples by their file within the data set."""
    return _photos(plan.dataset, samples, plan.duplicates.sha256)


def _odd(recipe: Recipe, held_out: Sequence[HeldOut]) -> list[str]:
    """A remark on the OK photos that score unlike the others, and on the threshold without them."""
    return [" ".join([one, without(recipe.calibration, held_out, stand_out(held_out))]) for one in unusual(held_out)]


def _guard(
    recipe: Recipe, samples: Sequence[Sample], duplicates: Duplicates, appearances: Sequence[Appearance]
) -> Guard | None:
    """What the OK photos look like; None where the recipe wants no guard, or too few photos say it."""
    if not recipe.training.guard:
        return None
    learnt = guard.learn(appearances, _held_out_together(samples, duplicates))
    if learnt is None:
        warn([f"{len(samples)} OK photos are too few for a guard; every photo will be judged, whatever it shows."])
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


def _epochs(history: History | None) -> Epochs | None:
    if history is None:
        return None
    return Epochs(best=history.best_epoch, losses={name: tuple(values) for name, values in history.losses.items()})


def _photos(dataset: Dataset, samples: Iterable[Sample], sha256: Mapping[Path, str]) -> Photos:
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
