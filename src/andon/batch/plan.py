"""What a batch has to do: the manifest of one that was begun, or a new one."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Literal, cast

from andon.batch.lease import Lease
from andon.batch.manifest import FILE, Manifest, read_manifest, write_photos
from andon.batch.place import Place
from andon.batch.source import Listed, Source
from andon.errors import InputError, NotCalibratedError
from andon.files import UNFINISHED
from andon.images.walk import MARKER
from andon.line.pipeline import Pipeline

LOG = logging.getLogger("andon")
SHARD_SIZE = 1000  # photos
WORKERS = 8  # that will share the work, where nobody has said
LEAST = 16  # photos of a shard, however few there are
SHARDS_PER_WORKER = 4  # at least, where there are too few photos for whole shards, so that all workers end together
PHOTOS_PER_LINE = 100_000
PAUSE = 2.0  # seconds, while another run writes the manifest


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be inspected, with what and how; a batch keeps to what it began with.

    Attributes:
        model: the file that `pipeline` was read from.
        shard_size: photos per part; None is `SHARD_SIZE`, or fewer where there are few photos.
        keep_maps: whether the anomaly maps are kept.
    """

    model: Path
    pipeline: Pipeline
    source: Source
    shard_size: int | None = None
    keep_maps: bool = False

    def manifest(self, photos: int, shard_size: int, listing: str) -> Manifest:
        """Of so many photos, so many in a shard."""
        return Manifest(
            source=self.source.url,
            photos=photos,
            shard_size=shard_size,
            model=self.model.name,
            model_sha256=self.pipeline.model_id.sha256,
            precision=cast(Literal["f32", "bf16"], self.pipeline.scorer.precision),
            guard=self.pipeline.guard is not None,
            keep_maps=self.keep_maps,
            part_id_from=self.source.part_id_from and self.source.part_id_from.pattern,
            listing=listing,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            andon_version=version("andon"),
        )


def begin(place: Place, job: Job, workers: int | None = None) -> Manifest:
    """The manifest that lies there, if it is of the same job; else a new one.

    Args:
        workers: that will share the work, where it is known.

    Raises:
        InputError: another batch lies there, a damaged one, or something else; the source holds no photo or cannot be
            read.
        NotCalibratedError: the model has no threshold yet.
    """
    if job.pipeline.calibration is None:
        raise NotCalibratedError("The model has no threshold yet; calibrate it with 'andon calibrate'.")
    manifest = read_manifest(place) or _write_or_wait(place, job, workers or WORKERS)
    _check(manifest, place, job)
    manifest.require_photos(place)
    _require_model(place, manifest, job)
    return manifest


def _write_or_wait(place: Place, job: Job, workers: int) -> Manifest:
    """A new manifest; that of another run, if one is writing it just now."""
    is_waiting = False
    while True:
        job.source.require()
        _require_empty(place)
        lease = Lease.acquire(place, "manifest")
        if lease is None:
            if not is_waiting:
                LOG.info("Another run is listing the photos; this one waits for its list.")
            is_waiting = True
            time.sleep(PAUSE)
            manifest = read_manifest(place)
        else:
            with lease:
                manifest = read_manifest(place) or _write(place, job, workers, lease)
        if manifest is not None:
            return manifest


def _require_empty(place: Place) -> None:
    """Raises:
    InputError: something lies there that is not of a batch.
    """
    names = {name for name in place.names("") if not name.endswith(UNFINISHED)}
    if FILE in names:  # another run has just written it
        return
    known = {MARKER, "locks", "manifest", "model"} if MARKER in names else {"locks"}
    if others := sorted(names - known):
        raise InputError(
            f"{place.url} holds {others[0]}, which is not part of a batch; give a new or empty folder with --out."
        )


def _write(place: Place, job: Job, workers: int, lease: Lease) -> Manifest | None:
    """Write a manifest, the photos first; None where this run was thought dead, and another writes it."""
    source, listing = job.source, str(lease.attempt)
    place.write(MARKER, b"")  # so that nothing here is ever taken for photos
    listed = iter(source)
    head = list(islice(listed, SHARD_SIZE * SHARDS_PER_WORKER * workers))
    if not head:
        raise InputError(f"{source.url} holds no photo; {source.remarks or 'it is empty'}.")
    shard_size = job.shard_size or min(SHARD_SIZE, max(LEAST, -(-len(head) // (SHARDS_PER_WORKER * workers))))
    photos = _write_photos(place, listing, chain(head, listed), shard_size)
    place.write(f"model/{job.model.name}", job.model.read_bytes())
    if not lease.is_held:
        return None
    manifest = job.manifest(photos, shard_size, listing)
    manifest.write(place)
    return manifest


def _write_photos(place: Place, listing: str, listed: Iterator[Listed], shard_size: int) -> int:
    photos = told = 0
    for photos in write_photos(place, listing, listed, shard_size):
        if photos - told >= PHOTOS_PER_LINE:
            LOG.info(f"{photos:,} photos listed so far")
            told = photos
    return photos


def _check(found: Manifest, place: Place, job: Job) -> None:
    """Raises:
    InputError: this is not how the batch was begun.
    """
    wanted = job.manifest(found.photos, job.shard_size or found.shard_size, found.listing)
    compared = {
        "the model": (found.model_sha256, wanted.model_sha256),
        "the source": (found.source, wanted.source),
        "--shard": (found.shard_size, wanted.shard_size),
        "--part-id-from": (found.part_id_from, wanted.part_id_from),
        "--no-guard": (not found.guard, not wanted.guard),
        "--keep-maps": (found.keep_maps, wanted.keep_maps),
    }
    for what, (before, now) in compared.items():
        if before != now:
            raise InputError(
                f"{place.url} holds a batch that was begun differently: {what} was {_short(before)} then and is "
                f"{_short(now)} now; give what it was begun with, or another folder with --out."
            )


def _require_model(place: Place, manifest: Manifest, job: Job) -> None:
    """Write the batch's model again where it has gone; the one that was given is the same file."""
    if manifest.model not in place.names("model"):
        place.write(f"model/{manifest.model}", job.model.read_bytes())


def _short(value: object) -> str:
    """For people; of a digest its beginning."""
    if isinstance(value, bool):
        return "given" if value else "not given"
    text = "not given" if value is None else str(value)
    return text[:12] if len(text) == 64 else text
