"""A batch from its manifest to the count at its end.

Run on the same folder again, it goes on where it was stopped, with whatever engine; two at once share the work.
"""

from __future__ import annotations

import csv
import io
import logging
import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from importlib import import_module
from typing import Literal, cast

from andon import progress
from andon.batch.asking import TRIES
from andon.batch.counting import Count, count, done_shards
from andon.batch.engine import Engine, Outcome, Settings
from andon.batch.lease import sweep
from andon.batch.manifest import Manifest
from andon.batch.part import Done, name_of, read_columns
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
    """Inspect what is not done yet, and count all. A part that turns out to be damaged is done again.

    Args:
        max_failures: the share of photos, of those that were tried, that may fail before the rest is left alone.
        retry_failures: inspect again the shards that hold failures.

    Raises:
        TooManyFailuresError: more failed. What was done stays, and so does the list of failures.
        InputError: the engine cannot work, the folder cannot be read or written, or the count is not right.
    """
    place = replace(place, tries=TRIES)
    done = {one.shard: one for one in done_shards(place, manifest)}
    if done:
        LOG.info(f"{len(done):,} of {manifest.shards:,} shards were done before")
    if retry_failures:
        _remove(place, done, [shard for shard, one in done.items() if one.failures])
    for _ in range(2):
        _inspect(place, manifest, engine, settings, done, max_failures)
        found = count(place, manifest)
        if found.is_right:
            sweep(place)
            return found
        _remove(place, done, [*found.missing, *found.wrong])
    raise InputError(_not_right(place, found))


def _remove(place: Place, done: dict[int, Done], shards: Iterable[int]) -> None:
    for shard in shards:
        place.remove(name_of(shard))
        done.pop(shard, None)


def _inspect(
    place: Place,
    manifest: Manifest,
    engine: EngineName,
    settings: Settings,
    done: dict[int, Done],
    max_failures: float,
) -> None:
    """Until all shards are in `done`. Whatever stops it, the list of failures is written."""
    try:
        tried, failures = sum(one.total for one in done.values()), sum(one.failures for one in done.values())
        _check_failures(place, manifest, tried, failures, max_failures)
        with (
            progress.measured("photos") as tell,
            closing(_outcomes(place, manifest, engine, settings, done, tell)) as outcomes,
        ):
            for one in outcomes:
                if one.shard not in done:
                    tried, failures = tried + one.total, failures + one.failures
                done[one.shard] = one
                _check_failures(place, manifest, tried, failures, max_failures)
    except BaseException as error:
        with suppress(InputError, FileNotFoundError):
            _write_failures(place, manifest, done)
        if not isinstance(error, TooManyFailuresError):
            LOG.info(f"{len(done):,} of {manifest.shards:,} shards are done; the same command goes on from there.")
        raise
    _write_failures(place, manifest, done)


def _outcomes(
    place: Place,
    manifest: Manifest,
    engine: EngineName,
    settings: Settings,
    done: dict[int, Done],
    tell: Callable[[float, str], None],
) -> Generator[Done, None, None]:
    """Of all shards that are not done, round by round: an engine may lose some, and others may be at some."""
    run = cast(Engine, import_module(ENGINES[engine])).run
    first = before = sum(one.total for one in done.values())

    def tell_photos(photos: int) -> None:
        now = min(before + photos, manifest.photos)  # a worker that dies has counted some in vain
        tell((now - first) / (manifest.photos - first), f"{now:,} of {manifest.photos:,}")

    trouble, pause = _Trouble(), PAUSE
    while todo := [shard for shard in range(manifest.shards) if shard not in done]:
        with closing(run(place.url, todo, settings, tell_photos)) as outcomes:
            for outcome in outcomes:
                if outcome.done is not None:
                    trouble, pause = _Trouble(), PAUSE
                    yield outcome.done
                elif outcome.why:
                    trouble.tell(outcome, len(todo))
        if any(shard not in done for shard in todo):
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            yield from done_shards(place, manifest, [shard for shard in todo if shard not in done])
        before = sum(one.total for one in done.values())


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
            raise InputError(f"None of {shards} shards could be inspected for {PATIENCE:.0f} s: {outcome.why}")
        if outcome.why != self._why:
            LOG.info(f"Shard {outcome.shard} could not be inspected and is tried again: {outcome.why}")
            self._why = outcome.why


def _check_failures(place: Place, manifest: Manifest, tried: int, failures: int, max_failures: float) -> None:
    """Raises:
    TooManyFailuresError: of the photos that were tried, which must be some before their share says anything.
    """
    if failures / max(tried, min(manifest.photos, TELLING)) > max_failures:
        raise TooManyFailuresError(
            f"{failures:,} of {tried:,} photos could not be inspected, more than the {100 * max_failures:.4g} % that "
            f"--max-failures allows; {place.url}/{FAILURES} lists them and why. Mend that and go on with "
            "--retry-failures, or allow more."
        )


def _write_failures(place: Place, manifest: Manifest, done: dict[int, Done]) -> None:
    """A list of all photos that could not be inspected, with the reason; also where there is none."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("path", "error"))
    for shard, one in sorted(done.items()):
        if one.failures:
            photos, table = manifest.read_shard(place, shard), read_columns(place, shard, ["verdict", "error"])
            rows = zip(photos, table.to_pylist(), strict=True)
            lines.writerows((photo.path, row["error"]) for photo, row in rows if row["verdict"] == "error")
    place.write(FAILURES, os.fsencode(text.getvalue()))  # with the names that are not UTF-8, to be read as a list


def _not_right(place: Place, found: Count) -> str:
    """Never seen; whoever sees it is to know what to do."""
    verdicts = sum(found.verdicts.values())
    return (
        f"{place.url} holds {verdicts:,} rows of {found.photos:,} photos ({len(found.missing)} parts are missing and "
        f"{len(found.wrong)} are not of the manifest's photos); remove those parts and run this again."
    )
