"""The tasks that engines compute: plain functions of some photos, and of what is settled for all, to a small result."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from andon.datasets import Fingerprint, Twins, fingerprints, twins_among
from andon.detectors._covers import Cover, merged
from andon.detectors._shards import (
    Queries,
    ShardPatches,
    Spread,
    cover_of,
    distances,
    drawn,
    patches_of,
    spread_of,
)
from andon.errors import InputError
from andon.images import OpenedPhotos
from andon.images.scale import Largest, largest_value
from andon.preprocess import Step
from andon.teaching.photos import settle_steps
from andon.teaching.shards.settled import Settled
from andon.teaching.shards.shard import Shard


class Compared(NamedTuple):
    """Attributes:
    prints: of the photos that can be read; without their detail, which is large, where `twins` says what it tells.
    unreadable: why the others cannot be.
    guessed: photos of more than 8 bits that do not say what is white.
    """

    prints: list[Fingerprint]
    unreadable: dict[Path, str]
    guessed: frozenset[Path]
    twins: list[Twins]


def compare(photos: Sequence[Path], here: bool) -> Compared:
    """Read photos and say what tells them from others.

    Args:
        here: whether twins are looked for among these photos alone.

    Raises:
        InputError: a photo is not where the driver sees it.
    """
    missing = [photo for photo in photos if not photo.exists()]
    if missing:
        raise InputError(
            f"{socket.gethostname()} does not see {missing[0]}; put the photos into a folder that all hosts of the "
            "cluster have under the same path."
        )
    opened = OpenedPhotos(room=0)
    prints, unreadable = fingerprints(photos, opened)
    guessed = frozenset(photo for photo in photos if opened.guessed(photo))
    if not here:
        return Compared(prints, unreadable, guessed, [])
    nothing = np.empty((0, 0), np.float32)
    return Compared([replace(one, detail=nothing) for one in prints], unreadable, guessed, twins_among(prints))


def largest(photos: Sequence[Path], nothing: None) -> list[Largest]:
    """The largest value of each photo that does not say what is white."""
    del nothing
    return [value for photo in photos if (value := largest_value(photo)) is not None]


def settle(photos: Sequence[Path], settled: Settled) -> dict[str, Step]:
    """The steps with their open parameters settled from these photos."""
    return settle_steps(settled.recipe.steps, photos, OpenedPhotos(settled.white))


def spread(shard: Shard, settled: Settled) -> Spread:
    """How features and colours of the photos' patches spread."""
    return spread_of(patches(shard, settled, all_=True).patches)


class Draw(NamedTuple):
    """Photos to draw patches from, and what draws them."""

    shard: Shard
    generator: torch.Generator


def draw_queries(item: Draw, settled: Settled) -> Queries:
    """Some patches of each photo; their photos are numbered in the shard."""
    return drawn(patches(item.shard, settled), len(item.shard.members), item.generator)


class Asked(NamedTuple):
    """What all shards are asked for the distances of."""

    settled: Settled
    queries: Queries


class Away(NamedTuple):
    """Attributes:
    distances: (photos, Q), see `_shards.distances`.
    patches: how many the photos have.
    """

    distances: Tensor
    patches: int


def measure(shard: Shard, asked: Asked) -> Away:
    """How far the queries are from each photo of the shard."""
    found = patches(shard, asked.settled)
    return Away(distances(found, len(shard.members), asked.queries, shard.first), len(found.patches))


class Limits(NamedTuple):
    """Attributes:
    rows: how many patches a coreset has at most.
    radius: fewer where they leave every patch nearer than this.
    """

    rows: int
    radius: float


class Choosing(NamedTuple):
    """What every shard's coreset is chosen by."""

    settled: Settled
    limits: Limits


class Chosen(NamedTuple):
    """Attributes:
    cover: its frames are numbered in the shard.
    patches: how many it was chosen from.
    frames: how many frames the shard's photos gave.
    """

    cover: Cover
    patches: int
    frames: int


def choose(shard: Shard, choosing: Choosing) -> Chosen:
    """The shard's coreset."""
    settled, limits = choosing
    found = patches(shard, settled)
    out = torch.tensor([member.out for member in shard.members], dtype=torch.bool).view(len(shard.members), -1)
    made = cover_of(found, out, limits.rows, limits.radius)
    return Chosen(made, len(found.patches), found.frames)


def merge(covers: Sequence[Cover], limits: Limits) -> Cover:
    """One coreset of several shards'."""
    return merged(covers, limits.rows, limits.radius)


def patches(shard: Shard, settled: Settled, *, all_: bool = False) -> ShardPatches:
    """The patches of the shard's photos; `all_` takes in those that are alone, see `density_keep`."""
    detector = settled.detector()
    batches = settled.batches(shard, detector)
    return patches_of(detector, batches, batches.counts, settled.generator(shard), all_=all_)
