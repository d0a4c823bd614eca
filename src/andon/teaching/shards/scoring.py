"""The second look at each photo: its score by a model that has not seen it, and how far it is from the bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from torch import Tensor

from andon.detectors._threads import alone, over_cores
from andon.line import nearest_ok
from andon.line.appearance import Appearance
from andon.line.pipeline import Pipeline, Prepared, to_batch
from andon.models.taught import assemble
from andon.teaching.fitting import scorer_of_fold
from andon.teaching.photos import Frames
from andon.teaching.remembering import RememberingBackbone
from andon.teaching.shards.settled import FIXED, ROOM, Settled
from andon.teaching.shards.shard import Member, Shard, cut
from andon.teaching.thresholds import HeldOut, held_out_of
from andon.types import Frame, Precision

AT_ONCE = 16  # photos


class BankRows(NamedTuple):
    """A memory bank (N, D), and where its rows (N, 3) come from."""

    rows: Tensor
    places: Tensor


class Scoring(NamedTuple):
    """What every photo is scored with.

    Attributes:
        bank: of all photos that train.
        without: of all but each fold's.
        precision: what the network computes in, "f32" or "bf16".
        thumbnails, appearances: whether they are wanted.
        measures: whether the distances of patches from the bank are.
    """

    settled: Settled
    bank: BankRows
    without: Sequence[BankRows]
    precision: Precision
    thumbnails: bool
    appearances: bool
    measures: bool


def memory_of(scoring: Scoring) -> int:
    """Bytes that a task takes: the banks, as they come, as they are searched, and in 8 bits."""
    return FIXED + 3 * sum(bank.rows.nbytes for bank in (scoring.bank, *scoring.without))


class Looked(NamedTuple):
    """What is kept of the photos of a shard, in their order.

    Attributes:
        held_out: None for photos that train and set no threshold.
        jpegs: small pictures, see `nearest_ok.thumbnail`; none where they are not wanted.
        appearances: none where they are not wanted.
        radius: the largest distance of a patch that trains from the bank; 0 where it is not wanted.
    """

    held_out: list[HeldOut | None]
    jpegs: list[bytes]
    appearances: list[Appearance]
    radius: float


def look(shard: Shard, scoring: Scoring) -> Looked:
    """Score the photos of a shard.

    Raises:
        ImageError: a photo cannot be used.
    """
    models = _Models(scoring)
    looked = Looked([], [], [], 0.0)
    for lot in cut(shard.members, AT_ONCE):
        frames = scoring.settled.frames()
        held_out = models.scores(lot, frames)
        radius = max(looked.radius, models.farthest(lot, frames)) if scoring.measures else 0.0
        if scoring.thumbnails:
            looked.jpegs.extend(nearest_ok.thumbnail(frames.read(one.photo).image) for one in lot.members if one.trains)
        if scoring.appearances:
            looked.appearances.extend(frames.appearance(photo) for photo in lot.photos)
        looked = looked._replace(held_out=[*looked.held_out, *held_out], radius=radius)
        models.forget()
    return looked


class _Models:
    """The pipelines that score: of all photos that train, and without each fold.

    In f32 they score by the features that the banks were made of. All share the features of a photo.
    """

    def __init__(self, scoring: Scoring) -> None:
        recipe = scoring.settled.recipe
        bare = scoring.settled.detector()
        self._tiling = recipe.tiling
        self._features = RememberingBackbone(bare.backbone, room=ROOM)
        whole, *without = (
            bare.holding(bank_=rows, origin_=places) for rows, places in (scoring.bank, *scoring.without)
        )
        pipeline = assemble(recipe, whole, precision=scoring.precision)
        final = pipeline.scorer
        self._pipelines: dict[int | None, Pipeline] = {
            fold: replace(pipeline, scorer=scorer_of_fold(final, detector, self._features))
            for fold, detector in ((None, whole), *enumerate(without))
        }

    def scores(self, lot: Shard, frames: Frames) -> list[HeldOut | None]:
        """Of each photo that sets a threshold."""
        scored: dict[str, HeldOut] = {}
        for fold, pipeline in self._pipelines.items():
            photos = [one for one in lot.members if one.scored_by == fold and _is_scored(one)]
            if photos:
                prepared: list[Prepared] = [frames.prepared(one.photo) for one in photos]
                # a scorer gives a single photo to all cores, which add up in another order than one does
                score = pipeline.score if len(prepared) > 1 else partial(alone, pipeline.score)
                scored |= {one.path: one for one in held_out_of(pipeline, score(prepared))}
        return [scored.get(str(photo)) for photo in lot.photos]

    def farthest(self, lot: Shard, frames: Frames) -> float:
        """The largest distance from the bank of all of a patch that trains."""
        score = self._pipelines[None].scorer

        def farthest(member: Member) -> float:
            tiles = self._cut(frames.read(member.photo, enhanced=member.is_enhanced))
            return float(score(*to_batch(tiles)).patch.max()) if tiles else 0.0

        return max(over_cores(farthest, [member for member in lot.members if member.trains]), default=0.0)

    def forget(self) -> None:
        """The features of the photos so far."""
        self._features.forget()

    def _cut(self, frame: Frame) -> list[Frame]:
        return [frame] if self._tiling is None else [tile.frame for tile in self._tiling.cut(frame)]


def _is_scored(member: Member) -> bool:
    """Photos that train are scored where there is a model that has not seen them."""
    return member.scored_by is not None or not member.trains
