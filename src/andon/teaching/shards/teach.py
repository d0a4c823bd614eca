"""Recipe + more photos than one machine holds -> a trained and calibrated model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from andon import backbones, datasets, detectors
from andon.datasets import Dataset
from andon.engines import Engine
from andon.errors import ConfigError
from andon.models.taught import Taught
from andon.models.taught import assemble as pipeline_of
from andon.recipes import Recipe
from andon.scorers.precision import settle
from andon.teaching.completing import completed, keeps_thumbnails
from andon.teaching.plan import Plan, capabilities, warn
from andon.teaching.shards import survey, tasks
from andon.teaching.shards.banks import Banks, chosen
from andon.teaching.shards.scoring import Looked, Scoring, look, memory_of
from andon.teaching.shards.settled import Settled
from andon.teaching.shards.shard import Member, cut, members_of
from andon.teaching.shards.stages import CHOOSING, COMPARING, MERGING, SCORING, SETTLING, SURVEYING, Stages
from andon.teaching.shards.survey import SURVEYED, Survey, n_photos
from andon.teaching.thresholds import HeldOut
from andon.types import Precision

LOG = logging.getLogger("andon")

SHARD_SIZE = 500  # photos
MOST_COMPARED = 10_000  # photos, each with each other
MOST_THUMBNAILS = 10_000
MERGED_OF_PHOTO = 80  # patches
NO_THUMBNAILS = (
    f"No small pictures of OK photos are kept, as there are more than {MOST_THUMBNAILS:,}: inspect --explain cannot "
    "show what a region looks most like."
)


def teach(
    recipe: Recipe,
    dataset: Dataset,
    engine: Engine,
    *,
    shard_size: int = SHARD_SIZE,
    allow_duplicates: bool = False,
    precision: Precision = "auto",
) -> Taught:
    """A model of a data set, its photos looked at in shards. The same shards give the same model on any engine.

    Workers read the photos, and weights that the recipe names, at the paths that they have here.

    Args:
        shard_size: how many photos make a shard; a task holds all of its patches.

    Raises:
        ConfigError: the detector's memory cannot be chosen shard by shard, or a shard does not fit into memory.
        DatasetError, NotCalibratedError, WeightsError: see `teaching.train.train`.
        AndonError: workers died again and again, or are not like this machine.
    """
    require_shards(recipe)
    stages = Stages(engine)
    with stages.counted():
        taught = _teach(
            detectors.configured(recipe), _absolute(dataset), stages, shard_size, allow_duplicates, precision
        )
    LOG.info(f"Times on {engine.name}: {stages.in_words()}.")
    return taught


def require_shards(recipe: Recipe) -> None:
    """Refuse a detector that must see all photos at once.

    Raises:
        ConfigError: it is one.
    """
    if not capabilities(recipe).shards:
        raise ConfigError(
            f"{recipe.detector} learns from all photos at once, and only patchcore from shards of them; leave --engine "
            "out, or add --detector patchcore."
        )


def _teach(
    recipe: Recipe, dataset: Dataset, stages: Stages, shard_size: int, allow_duplicates: bool, precision: Precision
) -> Taught:
    plan, guessed = _planned(recipe, dataset, stages, shard_size, allow_duplicates)
    recipe, (training, calibrating) = plan.recipe, members_of(plan.parts, plan.recipe)
    stages.expect(_photos_of_stages(recipe, len(training), len(calibrating)))
    fingerprint = backbones.fingerprint(backbones.create(recipe.backbone))
    settled = Settled(_with_absolute_weights(recipe), None, fingerprint)
    settled = survey.settled_steps(settled, training, stages, guessed)
    recipe = replace(recipe, steps=settled.recipe.steps)
    found = survey.surveyed(settled, training, stages)
    if len(training) > SURVEYED:
        plan = plan.with_remarks([_said_of_survey(len(training))])
    banks = chosen(found, training, shard_size, stages)
    thumbnails = keeps_thumbnails(recipe)
    if thumbnails and len(training) > MOST_THUMBNAILS:
        plan, thumbnails = plan.with_remarks(warn([NO_THUMBNAILS])), False
    scoring = _scoring(found, banks, recipe, settle(precision), thumbnails)
    shards = cut([*training, *calibrating], shard_size)
    looked = list(stages.map(SCORING, look, shards, scoring, photos=n_photos, memory=memory_of(scoring)))
    taught = _assembled(recipe, found, banks, max(one.radius for one in looked), precision)
    return completed(
        plan,
        taught,
        _in_order(plan, looked),
        settled.white,
        [jpeg for one in looked for jpeg in one.jpegs],
        [appearance for one in looked for appearance in one.appearances],
    )


def _photos_of_stages(recipe: Recipe, training: int, calibrating: int) -> dict[str, int]:
    """How many photos each stage looks at, and how many patches are merged, roughly."""
    sample = min(training, SURVEYED)
    looks = {SETTLING: sample, SURVEYING: survey.passes(recipe) * sample, CHOOSING: training}
    return looks | {MERGING: MERGED_OF_PHOTO * training, SCORING: training + calibrating}


def _planned(
    recipe: Recipe, dataset: Dataset, stages: Stages, shard_size: int, allow_duplicates: bool
) -> tuple[Plan, frozenset[Path]]:
    """What each photo is for, and which do not say what is white."""
    LOG.info(dataset.describe())
    dataset = dataset if dataset.session_note else datasets.with_sessions(dataset)
    paths = sorted({sample.path for sample in dataset.samples})
    n_ok = sum(sample.is_anomalous is False for sample in dataset.samples)
    stages.expect({COMPARING: len(paths)} | _photos_of_stages(recipe, n_ok, 0))
    apart = len(paths) > MOST_COMPARED
    lots = [shard.photos for shard in cut([Member(path) for path in paths], shard_size)]
    found = list(stages.map(COMPARING, tasks.compare, lots, apart))
    prints = [one for lot in found for one in lot.prints]
    unreadable = {photo: why for lot in found for photo, why in lot.unreadable.items()}
    twins = [pair for lot in found for pair in lot.twins] if apart else datasets.twins_among(prints)
    duplicates = datasets.duplicates_of(dataset.samples, prints, unreadable, twins)
    plan = Plan.of(recipe, dataset, duplicates, allow_duplicates=allow_duplicates)
    if apart:
        plan = plan.with_remarks(warn([_said_of_twins(len(paths), shard_size)]))
    return plan, frozenset[Path]().union(*(lot.guessed for lot in found))


def _scoring(found: Survey, banks: Banks, recipe: Recipe, precision: Precision, thumbnails: bool) -> Scoring:
    """How the photos are scored. Distances are those from the bank only where the features are those that it is of."""
    measures = precision == "f32" and found.detector.config.density_keep == 1
    guard = recipe.training.guard
    return Scoring(found.settled, banks.bank, banks.without, precision, thumbnails, guard, measures)


def _assembled(recipe: Recipe, found: Survey, banks: Banks, measured: float, precision: Precision) -> Taught:
    """The model, not calibrated."""
    detector = found.detector.holding(bank_=banks.bank.rows, origin_=banks.bank.places)
    radius = measured or banks.bound
    detector.facts = {"bank_rows": float(len(banks.bank.rows)), "patches": float(banks.patches), "bank_radius": radius}
    if measured:
        LOG.info(f"Measured over all patches: none is farther than {measured:.3g} from the bank.")
    return Taught(recipe, detector, pipeline_of(recipe, detector, precision=precision))


def _in_order(plan: Plan, looked: Sequence[Looked]) -> list[HeldOut]:
    """The photos that set the threshold, fold after fold."""
    scored = {one.path: one for part in looked for one in part.held_out if one is not None}
    return [scored[str(sample.path)] for sample in plan.calibrating]


def _absolute(dataset: Dataset) -> Dataset:
    """Workers have other working folders."""
    samples, excluded = (
        tuple(replace(sample, path=sample.path.absolute()) for sample in some)
        for some in (dataset.samples, dataset.excluded)
    )
    return replace(dataset, root=dataset.root.absolute(), samples=samples, excluded=excluded)


def _with_absolute_weights(recipe: Recipe) -> Recipe:
    if recipe.backbone.weights is None:
        return recipe
    return replace(recipe, backbone=replace(recipe.backbone, weights=str(Path(recipe.backbone.weights).absolute())))


def _said_of_survey(n: int) -> str:
    return f"The steps, scales and the radius of the memory bank come from {SURVEYED:,} of the {n:,} OK photos."


def _said_of_twins(n: int, shard_size: int) -> str:
    return (
        f"{n:,} photos are too many to compare each with each other: identical ones are known, and photos that look "
        f"alike only among {shard_size:,} that follow one another by name."
    )
