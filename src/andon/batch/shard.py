"""A worker's job: one shard of the batch, from the manifest's photos to a part with their verdicts."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache

from andon.batch import maps
from andon.batch.asking import TRIES
from andon.batch.inspecting import Judged, inspect, load_model
from andon.batch.lease import Lease
from andon.batch.manifest import Manifest, digest, read_manifest
from andon.batch.part import PartInfo, read_info, write_part
from andon.batch.place import Place
from andon.batch.process import Apart, DiedError, count_one
from andon.batch.source import Listed
from andon.types import Failure

CAREFUL_FROM = 3  # the attempt: two workers have died over this shard, so a photo may be to blame
TRIES_ALONE = 2  # of a photo whose process ended, as that may have been killed for another reason


class ShardWorker:
    """Inspects shards of the batch in a folder; it loads the model once.

    Args:
        out: path or URL of the batch.
        tell: called after every photo.

    Raises:
        InputError: its model cannot be used, or it cannot be read.
        FileNotFoundError: it is not there.
    """

    def __init__(self, out: str, tell: Callable[[], None] = lambda: None) -> None:
        self._place = Place.at(out, tries=TRIES)
        manifest = read_manifest(self._place)
        if manifest is None:
            raise FileNotFoundError(f"{out} has no manifest; can this computer see that folder?")
        self._manifest: Manifest = manifest
        self._pipeline = load_model(self._place, manifest)
        self._tell = tell

    def run(self, shard: int) -> PartInfo | None:
        """What the finished part says; None where another worker is at it.

        Raises:
            PlaceError: the batch's folder cannot be read or written; or the photos' store does not answer, of which the
                third attempt makes failures.
        """
        lease = Lease.acquire(self._place, f"{shard:07d}")
        if lease is None:
            return None
        with lease:
            info = read_info(self._place, self._manifest, shard)  # somebody may just have finished it
            return info or self._inspect(shard, lease)

    def judge(self, photos: Sequence[Listed], *, waits: bool = False) -> list[Judged]:
        """What the model says of them.

        Args:
            waits: see `inspect`.
        """
        return list(self._told(inspect(self._pipeline, photos, keep_maps=self._manifest.keep_maps, waits=waits)))

    def _inspect(self, shard: int, lease: Lease) -> PartInfo | None:
        photos = self._manifest.read_shard(self._place, shard)
        started, stages = time.perf_counter(), Counter[str]()
        judged = self.judge(photos, waits=True) if lease.attempt < CAREFUL_FROM else self._judge_carefully(photos)
        for one in judged:
            stages.update(one.milliseconds)
        info = PartInfo(
            shard=shard,
            photos=digest(photos),
            model_sha256=self._manifest.model_sha256,
            verdicts=dict(Counter(one.row["verdict"] for one in judged)),
            milliseconds=dict(stages),
            seconds=time.perf_counter() - started,
            attempt=lease.attempt,
            host=socket.gethostname(),
        )
        if not lease.is_held:  # this worker was thought dead, and another has taken over
            return None
        if self._manifest.keep_maps:
            maps.write(self._place, shard, (one.anomaly_map for one in judged))
        write_part(self._place, info, [one.row for one in judged])
        return info

    def _judge_carefully(self, photos: Sequence[Listed]) -> list[Judged]:
        """As `judge`, in another process, so that a photo that kills it is found: half by half."""
        with Apart() as apart:
            return list(self._told(self._halves(apart, photos)))

    def _halves(self, apart: Apart, photos: Sequence[Listed]) -> Iterator[Judged]:
        for _ in range(1 if len(photos) > 1 else TRIES_ALONE):
            with suppress(DiedError):
                yield from apart.call(judge_photos, self._place.url, photos)
                return
        if len(photos) > 1:
            middle = len(photos) // 2
            yield from self._halves(apart, photos[:middle])
            yield from self._halves(apart, photos[middle:])
            return
        (photo,) = photos
        times = f"{TRIES_ALONE} times out of {TRIES_ALONE}"
        error = f"{photo.path} cannot be inspected: the process that tried it ended, {times}."
        yield Judged(Failure(photo.path, error, photo.part_id, self._pipeline.model_id).to_row(), {})

    def _told(self, judged: Iterable[Judged]) -> Iterator[Judged]:
        for one in judged:
            self._tell()
            yield one


@cache
def _worker(out: str) -> ShardWorker:
    """That of this process."""
    return ShardWorker(out, count_one)


def inspect_shard(out: str, shard: int) -> PartInfo | None:
    """`ShardWorker.run`, in this process."""
    return _worker(out).run(shard)


def judge_photos(out: str, photos: Sequence[Listed]) -> list[Judged]:
    """`ShardWorker.judge`, in this process."""
    return _worker(out).judge(photos)
