"""A batch from its manifest to the count at its end.

Run on the same folder again, it goes on where it was stopped, with whatever engine; two at once share the work.
"""

from __future__ import annotations

import csv
import io
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Literal, cast

from andon import progress
from andon.batch.asking import TRIES
from andon.batch.counting import Count, count, finished_parts
from andon.batch.engine import Engine, Outcome, Settings
from andon.batch.lease import sweep
from andon.batch.manifest import Manifest
from andon.batch.part import PartInfo, name_of, read_columns
from andon.batch.place import Place
from andon.errors import InputError

LOG = logging.getLogger("andon")
EngineName = Literal["local", "ray"]
ENGINES = {"local": "andon.batch.local", "ray": "andon.batch.ray_engine"}
FAILURES = "failures.csv"
TELLING = 1000  # photos, of which the share of failures says something
PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds, while all that is left is being done by others or cannot be done
PATIENCE = 300.0  # seconds, in which no shard gets done and some fail


class TooManyFailuresError(InputError):
    """More of the photos than allowed could not be inspected."""


def inspect_all(
    place: Place,
    manifest: Manifest,
    engine: EngineName,
    settings: Settings,
    *,
    max_failures: float = 0.01,
    retry_failures: bool = False,
) -> Count:
    """Inspect the shards that have no part yet, and count all. A part that turns out to be damaged is made again.

    Args:
        max_failures: the share of photos, of those that were tried, that may fail before the rest is left alone.
        retry_failures: inspect again the shards that hold failures.

    Raises:
        TooManyFailuresError: more failed. What was done stays, and so does the list of failures.
        InputError: the engine cannot work, the folder cannot be read or written, or the count is not right.
    """
    place = replace(place, tries=TRIES)
    run = _Run(place, manifest, cast(Engine, import_module(ENGINES[engine])), settings, max_failures)
    if run.parts:
        LOG.info(f"{len(run.parts):,} of {manifest.shards:,} shards were done before")
    if retry_failures:
        run.remove([shard for shard, part in run.parts.items() if part.failures])
    for _ in range(2):
        run.inspect()
        found = count(place, manifest)
        if found.is_right:
            sweep(place)
            return found
        run.remove([*found.missing, *found.wrong])
    raise InputError(_not_right(place, found))


class _Run:
    """One run of a batch, which others may have begun and may be at, too.

    Attributes:
        parts: what is there, by shard.
    """

    def __init__(
        self, place: Place, manifest: Manifest, engine: Engine, settings: Settings, max_failures: float
    ) -> None:
        self.parts: dict[int, PartInfo] = {}
        self._place = place
        self._manifest = manifest
        self._engine = engine
        self._settings = settings
        self._max_failures = max_failures
        self._photos = self._failures = 0  # of the parts
        for part in finished_parts(place, manifest):
            self._add(part)

    def inspect(self) -> None:
        """Until every shard has a part. Whatever stops it, the list of failures is written."""
        try:
            self._check_failures()
            with progress.measured("photos") as tell:
                self._inspect(tell)
        except BaseException as error:
            with suppress(InputError, FileNotFoundError):
                self._write_failures()
            if not isinstance(error, TooManyFailuresError):
                done = f"{len(self.parts):,} of {self._manifest.shards:,} shards are done"
                LOG.info(f"{done}; the same command goes on from there.")
            raise
        self._write_failures()

    def remove(self, shards: Iterable[int]) -> None:
        """Remove the parts of these shards, so that they are inspected again."""
        for shard in shards:
            self._place.remove(name_of(shard))
            self._forget(shard)

    def _inspect(self, tell: Callable[[float, str], None]) -> None:
        """Round by round: an engine may lose shards, and others may be at some."""
        trouble, pause, first = _Trouble(), PAUSE, self._photos
        while todo := self._todo():
            tell_photos = partial(self._tell, tell, first, self._photos)
            with closing(self._engine.run(self._place.url, todo, self._settings, tell_photos)) as outcomes:
                for outcome in outcomes:
                    if outcome.part is not None:
                        trouble, pause = _Trouble(), PAUSE
                        self._take(outcome.part)
                    elif outcome.why:
                        trouble.tell(outcome, len(todo))
            if left := self._todo():
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                for part in finished_parts(self._place, self._manifest, left):
                    self._take(part)

    def _todo(self) -> list[int]:
        """The shards without a part."""
        return [shard for shard in range(self._manifest.shards) if shard not in self.parts]

    def _tell(self, tell: Callable[[float, str], None], first: int, before: int, photos: int) -> None:
        """Say how far it is.

        Args:
            first: how many photos were inspected when it began.
            before: the same of this round.
            photos: how many its workers have inspected since.
        """
        total = self._manifest.photos
        now = min(before + photos, total)  # a worker that dies has counted some in vain
        tell((now - first) / (total - first), f"{now:,} of {total:,}")

    def _take(self, part: PartInfo) -> None:
        self._add(part)
        self._check_failures()

    def _add(self, part: PartInfo) -> None:
        self._forget(part.shard)
        self.parts[part.shard] = part
        self._photos, self._failures = self._photos + part.total, self._failures + part.failures

    def _forget(self, shard: int) -> None:
        if (part := self.parts.pop(shard, None)) is not None:
            self._photos, self._failures = self._photos - part.total, self._failures - part.failures

    def _check_failures(self) -> None:
        """Raises:
        TooManyFailuresError: of the photos that were tried, which must be some before their share says anything.
        """
        if self._failures / max(self._photos, min(self._manifest.photos, TELLING)) > self._max_failures:
            raise TooManyFailuresError(
                f"{self._failures:,} of {self._photos:,} photos could not be inspected, more than the "
                f"{100 * self._max_failures:.4g} % that --max-failures allows; {self._place.url}/{FAILURES} lists them "
                "and why. Fix the cause and go on with --retry-failures, or allow more."
            )

    def _write_failures(self) -> None:
        """A list of all photos that could not be inspected, with the reason; also where there is none."""
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(("path", "error"))
        for shard, part in sorted(self.parts.items()):
            if part.failures:
                photos = self._manifest.read_shard(self._place, shard)
                rows = read_columns(self._place, shard, ["verdict", "error"]).to_pylist()
                judged = zip(photos, rows, strict=True)
                lines.writerows((photo.path, row["error"]) for photo, row in judged if row["verdict"] == "error")
        # with the names that are not UTF-8, to be read as a list
        self._place.write(FAILURES, os.fsencode(text.getvalue()))


class _Trouble:
    """Shards that could not be done, since the last one that was."""

    def __init__(self) -> None:
        self._why = ""
        self._since = 0.0

    def tell(self, outcome: Outcome, shards: int) -> None:
        """Raises:
        InputError: it is of no use to go on.
        """
        self._since = self._since or time.monotonic()
        if outcome.is_final:
            raise InputError(outcome.why)
        if time.monotonic() - self._since > PATIENCE:
            raise InputError(
                f"None of the {shards} shards that are left could be inspected for {PATIENCE:.0f} s: {outcome.why}"
            )
        if outcome.why != self._why:
            LOG.info(f"Shard {outcome.shard} could not be inspected and is tried again: {outcome.why}")
            self._why = outcome.why


def _not_right(place: Place, found: Count) -> str:
    """Never seen; whoever sees it is to know what to do."""
    verdicts = sum(found.verdicts.values())
    return (
        f"{place.url} holds {verdicts:,} rows of {found.photos:,} photos ({len(found.missing)} parts are missing and "
        f"{len(found.wrong)} are not of the manifest's photos); remove those parts and give the same command again."
    )
