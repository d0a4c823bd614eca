"""The memory bank of all shards, and one without each fold: coresets of the shards, merged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from andon.detectors._covers import Cover, Kept
from andon.detectors._shards import numbered
from andon.errors import ConfigError
from andon.teaching.shards import tasks
from andon.teaching.shards.merging import Tree
from andon.teaching.shards.scoring import BankRows
from andon.teaching.shards.settled import FIXED
from andon.teaching.shards.shard import Member, cut
from andon.teaching.shards.stages import CHOOSING, MERGING, Stages
from andon.teaching.shards.survey import Survey, n_photos
from andon.teaching.shards.tasks import Choosing, Limits

LOG = logging.getLogger("andon")

LEAST_ROOM = 2**18  # patches that a task can hold, however small shards are
COVERS_OF_ROOM = 12  # of so many rows as a bank may have: four coresets, each three times with what folds need besides
LARGER = 1  # times as many rows as the bank, that a shard's coreset may have
NEARER = 1.0  # of the bank's radius, that a shard's coreset must reach
COPIES = 3.5  # of its points, that choosing a coreset takes


class Banks(NamedTuple):
    """Attributes:
    bank: of all photos.
    without: of all that each fold may know.
    patches: how many they stand for.
    bound: no patch is farther than this from the bank.
    """

    bank: BankRows
    without: list[BankRows]
    patches: int
    bound: float


class Sizes(NamedTuple):
    """How large a shard's coreset and the bank may be, how many patches a task holds, and what memory it needs."""

    of_shard: Limits
    of_bank: Limits
    room: int
    memory: int


def sizes(survey: Survey, photos: int, shard_size: int) -> Sizes:
    """What follows from the number of photos, in all and of a shard.

    Raises:
        ConfigError: a bank of a given size is too large for shards of this size.
    """
    ratio = survey.detector.config.coreset_ratio
    room = max(LEAST_ROOM, round(survey.patches * min(shard_size, photos)))
    n = max(1, round(ratio * survey.patches * photos))
    most = room if photos <= shard_size else max(1, room // COVERS_OF_ROOM)
    if n > most and survey.radius == 0:
        raise ConfigError(
            f"A memory bank of {n:,} patches cannot be chosen from shards of {shard_size} photos: {most:,} are "
            f"possible; set detector.coreset_ratio to {most / (survey.patches * photos):.2g}, or make --shard larger."
        )
    n = min(n, most)
    dimensions = survey.detector.shapes()["bank_"].sizes[1]
    memory = FIXED + round(COPIES * 4 * int(dimensions) * room)
    return Sizes(Limits(min(LARGER * n, most), NEARER * survey.radius), Limits(n, survey.radius), room, memory)


def chosen(survey: Survey, members: Sequence[Member], shard_size: int, stages: Stages) -> Banks:
    """The banks.

    Args:
        members: the photos that train.
        shard_size: how many of them make a shard.
    """
    folds = len(members[0].out)
    size = sizes(survey, len(members), shard_size)

    def merge(covers: Sequence[Cover], limits: Limits = size.of_shard) -> Cover:
        held = sum(map(len, covers))
        return stages.one(MERGING, tasks.merge, covers, limits, photos=held, memory=size.memory)

    tree, frames, patches, of_shards = Tree(merge, size.room), 0, 0, 0.0
    choosing = Choosing(survey.settled, size.of_shard)
    shards = cut(members, shard_size)
    for made in stages.map(CHOOSING, tasks.choose, shards, choosing, photos=n_photos, memory=size.memory):
        tree.add(numbered(made.cover, frames))
        frames, patches = frames + made.frames, patches + made.patches
        of_shards = max(of_shards, made.cover.radius)
    whole = merge(tree.left(), size.of_bank)
    stages.finish(MERGING)
    LOG.info(
        f"{patches:,} patches in {len(shards)} shards, {len(whole.chosen.rows):,} in the bank. No patch is farther "
        f"than {of_shards:.3g} from what its shard chose, nor than {whole.radius:.3g} from the bank."
    )
    if 0 < survey.radius < whole.radius - of_shards and len(whole.chosen.rows) == size.of_bank.rows:
        LOG.warning(
            f"The bank is full with {size.of_bank.rows:,} patches, as large as shards of {shard_size} photos and "
            "detector.coreset_ratio let it be; it would need more to come as near to all patches as wanted."
        )
    without = [_rows(whole.without(fold)) for fold in range(folds)]
    return Banks(_rows(whole.chosen), without, patches, whole.radius)


def _rows(kept: Kept) -> BankRows:
    return BankRows(kept.rows, kept.labels)
