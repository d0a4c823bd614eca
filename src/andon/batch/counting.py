"""The promise of a batch: as many verdicts and listed failures as photos, counted at the end whatever engine ran."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

from andon.batch.damage import DamagedError
from andon.batch.manifest import Manifest
from andon.batch.part import READERS, Done, read_columns, read_done, shards_with_parts
from andon.batch.place import Place
from andon.ordered_map import ordered_map
from andon.rows import utf8


@dataclass(frozen=True, kw_only=True)
class Count:
    """What lies in a batch.

    Attributes:
        photos: in the manifest.
        verdicts: in the parts; "error" for a photo that could not be inspected.
        missing: shards without a part that is whole.
        wrong: parts whose photos are not those of the manifest, in that order.
        milliseconds: of work in each stage, of all photos together.
    """

    photos: int
    verdicts: Mapping[str, int]
    missing: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """How many photos could not be inspected."""
        return self.verdicts.get("error", 0)

    @property
    def is_right(self) -> bool:
        """Whether every photo has exactly one row."""
        return not self.missing and not self.wrong and sum(self.verdicts.values()) == self.photos


def done_shards(place: Place, manifest: Manifest, among: Container[int] | None = None) -> Iterator[Done]:
    """What each part says that is whole and of this batch.

    Args:
        among: the shards to look at; all of them unless given.
    """
    among = range(manifest.shards) if among is None else among
    shards = [shard for shard in shards_with_parts(place) if shard in among]
    with ThreadPoolExecutor(READERS) as pool:
        yield from filter(None, pool.map(lambda shard: read_done(place, manifest, shard), shards))


def count(place: Place, manifest: Manifest) -> Count:
    """Hold every row against the manifest."""
    done = {one.shard: one for one in done_shards(place, manifest)}
    verdicts, stages = Counter[str](), Counter[str]()
    for one in done.values():
        verdicts.update(one.verdicts)
        stages.update(one.milliseconds)

    def is_wrong(shard_and_paths: tuple[int, pa.ChunkedArray]) -> bool:
        shard, paths = shard_and_paths
        return shard in done and not _is_right(place, done[shard], paths)

    shards = enumerate(manifest.read_column(place, "path"))
    wrong = [shard for shard, bad in enumerate(ordered_map(is_wrong, shards, workers=READERS)) if bad]
    return Count(
        photos=manifest.photos,
        verdicts=verdicts,
        missing=tuple(shard for shard in range(manifest.shards) if shard not in done),
        wrong=tuple(wrong),
        milliseconds=stages,
    )


def _is_right(place: Place, done: Done, paths: pa.ChunkedArray) -> bool:
    """Whether the rows are those of these photos, the verdicts as many as it says, and no byte has changed."""
    try:
        table = read_columns(place, done.shard)
    except (DamagedError, FileNotFoundError):
        return False
    verdicts = {one["values"]: one["counts"] for one in table["verdict"].value_counts().to_pylist()}
    return bool(table["path"].equals(_as_text(paths))) and verdicts == done.verdicts


def _as_text(paths: pa.ChunkedArray) -> pa.ChunkedArray:
    """As rows have them: the odd bytes of a name that is not UTF-8 are written out."""
    try:
        return paths.cast(pa.string())
    except pa.ArrowInvalid:
        names = [utf8(os.fsdecode(path)) for path in paths.to_pylist()]
        return pa.chunked_array([names], pa.string())
