"""What is settled for all shards before any patch enters a bank: steps, scales of colour, the radius to reach.

At most `SURVEYED` photos, evenly from all of them, say it. Where there are no more than that, it is what all say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import torch

from andon.config import from_dict
from andon.detectors._memory_bank import PHOTOS_DRAWN
from andon.detectors._shards import Queries, Spread, in_bare_space, radius_of, weighed
from andon.detectors.patchcore import PatchCore, PatchCoreConfig
from andon.images.scale import white_above
from andon.recipes import Recipe
from andon.teaching.shards import tasks
from andon.teaching.shards.settled import Settled
from andon.teaching.shards.shard import Member, Shard, cut, evenly
from andon.teaching.shards.stages import SETTLING, SURVEYING, Stages

SURVEYED = 1_000
PHOTOS_OF_TASK = 50


class Survey(NamedTuple):
    """Attributes:
    settled: with what was learned.
    detector: the same, with no bank yet.
    radius: how near every OK patch must be to the bank; 0 where the bank has a given size.
    patches: how many a photo has on average, that a bank may be chosen from.
    """

    settled: Settled
    detector: PatchCore
    radius: float
    patches: float


def passes(recipe: Recipe) -> int:
    """How often the survey looks at a photo."""
    config = from_dict(PatchCoreConfig, recipe.parameters, "detector")
    return int(_weighs(config)) + int(config.coverage > 0)


def settled_steps(settled: Settled, members: Sequence[Member], stages: Stages, guessed: frozenset[Path]) -> Settled:
    """What is white, and the open parameters of the steps.

    Args:
        members: the photos that train.
        guessed: photos that do not say what is white.
    """
    unsaid = [member.photo for member in members if member.photo in guessed]
    if unsaid:
        lots = [shard.photos for shard in cut([Member(photo) for photo in unsaid], PHOTOS_OF_TASK)]
        values = [value for lot in stages.map(SETTLING, tasks.largest, lots, None) for value in lot]
        settled = replace(settled, white=white_above(values))
    photos = [member.photo for member in evenly(members, SURVEYED)]
    steps = stages.one(SETTLING, tasks.settle, photos, settled, photos=len(photos))
    return replace(settled, recipe=replace(settled.recipe, steps=steps))


def surveyed(settled: Settled, members: Sequence[Member], stages: Stages) -> Survey:
    """The space of the patches, and how near each must be to the bank.

    Args:
        members: the photos that train.
    """
    sample = evenly(members, SURVEYED)
    portions = cut(sample, PHOTOS_OF_TASK)
    generator = torch.Generator().manual_seed(settled.seed)
    detector = in_bare_space(settled.detector(), generator)
    settled, radius, patches = settled.with_learned(detector), 0.0, 0.0
    if _weighs(detector.config):
        spread = reduce(Spread.joined, stages.map(SURVEYING, tasks.spread, portions, settled, photos=n_photos))
        detector = weighed(detector, spread)
        settled, patches = settled.with_learned(detector), spread.n * detector.config.density_keep
    if detector.config.coverage > 0:
        queries = _queries(settled, sample, generator, stages)
        asked = tasks.Asked(settled, queries)
        away = list(stages.map(SURVEYING, tasks.measure, portions, asked, photos=n_photos))
        radius = radius_of(detector, torch.cat([one.distances for one in away]), len(sample) / len(members))
        patches = sum(one.patches for one in away)
    return Survey(settled, detector, radius, patches / len(sample))


def n_photos(shard: Shard) -> int:
    """How many it has."""
    return len(shard.members)


def _weighs(config: PatchCoreConfig) -> bool:
    """Whether the spread of the patches must be known: for their scales or, if nothing else says it, their number."""
    return config.colour_weight > 0 or config.coverage == 0


def _queries(settled: Settled, sample: Sequence[Member], generator: torch.Generator, stages: Stages) -> Queries:
    """Patches of photos that are drawn by chance, the photos numbered in the sample."""
    numbers = torch.randperm(len(sample), generator=generator)[:PHOTOS_DRAWN]
    shard = Shard(0, 0, tuple(sample[number] for number in numbers.tolist()))
    draw = tasks.Draw(shard, generator)
    found = stages.one(SURVEYING, tasks.draw_queries, draw, settled, photos=len(numbers))
    return Queries(found.rows, numbers[found.photo])
