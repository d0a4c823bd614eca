"""The promise of a batch: as many verdicts and listed failures as photos, counted at the end whatever engine ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from andon.batch.manifest import Manifest, digest
from andon.batch.part import DamagedError, Done, read_columns, read_done, shards_with_parts
from andon.batch.place import Place

READERS = 16  # side by side, as they wait for a store most of the time


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
    verdicts, stages = Counter[str](), Counter[str]()
    missing, wrong = set(range(manifest.shards)), []
    done = list(done_shards(place, manifest))
    with ThreadPoolExecutor(READERS) as pool:
        for one, is_right in zip(done, pool.map(lambda one: _is_right(place, manifest, one), done), strict=True):
            missing.remove(one.shard)
            verdicts.update(one.verdicts)
            stages.update(one.milliseconds)
            if not is_right:
                wrong.append(one.shard)
    return Count(
        photos=manifest.photos,
        verdicts=verdicts,
        missing=tuple(sorted(missing)),
        wrong=tuple(wrong),
        milliseconds=stages,
    )


def _is_right(place: Place, manifest: Manifest, done: Done) -> bool:
    """Whether the rows are those of the shard's photos, the verdicts as many as it says, and no byte has changed."""
    photos = manifest.read_shard(place, done.shard)
    try:
        table = read_columns(place, done.shard)
    except (DamagedError, FileNotFoundError):
        return False
    paths = [photo.path.encode(errors="backslashreplace").decode() for photo in photos]
    rows = table["path"].to_pylist()
    return digest(photos) == done.photos and rows == paths and Counter(table["verdict"].to_pylist()) == done.verdicts
