"""A shard: some of the photos, and what must be known of each wherever it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from andon.datasets import Partition
from andon.recipes import Recipe
from andon.teaching.photos import draw

T = TypeVar("T")


class Member(NamedTuple):
    """A photo of a shard.

    Attributes:
        trains: False for a photo of the calibration split.
        is_enhanced: whether it is trained with in enhanced form, see `training.enhanced_share`.
        out: the folds whose models may not know it, each as True.
        scored_by: the fold whose model scores it; None for the model of all photos that train.
    """

    photo: Path
    trains: bool = True
    is_enhanced: bool = True
    out: tuple[bool, ...] = ()
    scored_by: int | None = None


class Shard(NamedTuple):
    """Attributes:
    number: counted from 0.
    first: the place of its first photo among all of them.
    """

    number: int
    first: int
    members: tuple[Member, ...]

    @property
    def photos(self) -> list[Path]:
        """Their files."""
        return [member.photo for member in self.members]

    @property
    def enhanced(self) -> frozenset[Path]:
        """Those that are trained with in enhanced form."""
        return frozenset(member.photo for member in self.members if member.is_enhanced)


def members_of(parts: Partition, recipe: Recipe) -> tuple[list[Member], list[Member]]:
    """The photos that train, and those of the calibration split."""
    photos = [sample.path for sample in parts.train]
    enhanced = draw(photos, recipe.training.enhanced_share, recipe.training.seed)
    known = [{sample.path for sample in fold.train} for fold in parts.folds]
    fold_of = {sample.path: number for number, fold in enumerate(parts.folds) for sample in fold.held_out}
    training = [
        Member(photo, True, photo in enhanced, tuple(photo not in paths for paths in known), fold_of.get(photo))
        for photo in photos
    ]
    return training, [Member(sample.path, trains=False) for sample in parts.calibration]


def cut(members: Sequence[Member], size: int) -> list[Shard]:
    """Shards of `size` photos, the last one of fewer."""
    starts = range(0, len(members), size)
    return [Shard(number, start, tuple(members[start : start + size])) for number, start in enumerate(starts)]


def evenly(items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, at the same distance from one another."""
    n = min(len(items), most)
    return [items[place * len(items) // n] for place in range(n)]
