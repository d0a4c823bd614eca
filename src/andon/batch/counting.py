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
from andon.batch.part import READERS, PartInfo, read_info, read_part, shards_with_parts
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
        wrong: parts that are damaged, or whose photos are not those of the manifest, in that order.
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
    def stages(self) -> dict[str, float]:
        """Milliseconds of each stage, per photo that has a verdict."""
        inspected = max(1, self.photos - self.failures)
        return {stage: milliseconds / inspected for stage, milliseconds in self.milliseconds.items()}

    @property
    def is_right(self) -> bool:
        """Whether every photo has exactly one row."""
        return not self.missing and not self.wrong and sum(self.verdicts.values()) == self.photos


def finished_parts(place: Place, manifest: Manifest, among: Container[int] | None = None) -> Iterator[PartInfo]:
    """What each part says of itself that is whole and of this batch.

    Args:
        among: the shards to look at; all of them unless given.

    Raises:
        PlaceError: the parts cannot be read.
    """
    among = range(manifest.shards) if among is None else among
    shards = [shard for shard in shards_with_parts(place) if shard in among]
    with ThreadPoolExecutor(READERS) as pool:
        yield from filter(None, pool.map(lambda shard: read_info(place, manifest, shard), shards))


def count(place: Place, manifest: Manifest) -> Count:
    """Hold every row against the manifest. Each part is opened once, and no more than `READERS` are held in memory.

    Raises:
        InputError: the list of the photos is damaged.
        FileNotFoundError: it is not there.
        PlaceError: that or the parts cannot be read.
    """
    verdicts, stages = Counter[str](), Counter[str]()
    missing, wrong = list[int](), list[int]()

    def look(shard_and_paths: tuple[int, pa.ChunkedArray]) -> tuple[PartInfo | None, bool]:
        """What the part says of itself, and whether its rows are wrong."""
        shard, paths = shard_and_paths
        try:
            found = read_part(place, manifest, shard)
        except DamagedError:
            return None, True
        return (None, False) if found is None else (found[0], not _is_right(*found, paths))

    shards = enumerate(manifest.read_column(place, "path"))
    for shard, (part, is_wrong) in enumerate(ordered_map(look, shards, workers=READERS)):
        if is_wrong:
            wrong.append(shard)
        elif part is None:
            missing.append(shard)
        if part is not None:
            verdicts.update(part.verdicts)
            stages.update(part.milliseconds)
    return Count(
        photos=manifest.photos, verdicts=verdicts, missing=tuple(missing), wrong=tuple(wrong), milliseconds=stages
    )


def _is_right(part: PartInfo, table: pa.Table, paths: pa.ChunkedArray) -> bool:
    """Whether the rows are those of these photos, and the verdicts as many as the part says."""
    verdicts = {one["values"]: one["counts"] for one in table["verdict"].value_counts().to_pylist()}
    return bool(table["path"].equals(_as_text(paths))) and verdicts == part.verdicts


def _as_text(paths: pa.ChunkedArray) -> pa.ChunkedArray:
    """As rows have them: the odd bytes of a name that is not UTF-8 are written out."""
    try:
        return paths.cast(pa.string())
    except pa.ArrowInvalid:
        names = [utf8(os.fsdecode(path)) for path in paths.to_pylist()]
        return pa.chunked_array([names], pa.string())
