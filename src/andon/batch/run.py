"""A batch from its manifest to the count at its end.

Run on the same folder again, it goes on where it was stopped, with whatever engine; two at once share the work.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from typing import Literal, cast

from andon import progress
from andon.batch.counting import Count, count, done_shards
from andon.batch.engine import Engine, Settings
from andon.batch.manifest import Manifest
from andon.batch.part import Done, name_of, read_columns
from andon.batch.place import Place
from andon.errors import InputError

EngineName = Literal["local", "ray"]
ENGINES = {"local": "andon.batch.local", "ray": "andon.batch.ray_engine"}
FAILURES = "failures.csv"
PAUSE = 2.0  # seconds, while all that is left is being done by others
ROUNDS_IN_VAIN = 5


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
    """Inspect what is not done yet, and count all.

    Args:
        max_failures: the share of photos, of those that were tried, that may fail before the rest is left alone.
        retry_failures: inspect again the shards that hold failures.

    Raises:
        TooManyFailuresError: more failed. What was done stays, and so does the list of failures.
        InputError: the engine cannot work, or the count is not right.
    """
    done = {one.shard: one for one in done_shards(place, manifest)}
    if retry_failures:
        for shard in [shard for shard, one in done.items() if one.failures]:
            place.remove(name_of(shard))
            del done[shard]
    with progress.measured("photos") as tell:
        try:
            for one in _outcomes(place, manifest, engine, settings, done, tell):
                done[one.shard] = one
                _check_failures(place, manifest, done, max_failures)
        finally:
            _write_failures(place, done)
    _check_failures(place, manifest, done, max_failures)
    found = count(place, manifest)
    if not found.is_right:
        raise InputError(_not_right(place, found))
    return found


def _outcomes(
    place: Place,
    manifest: Manifest,
    engine: EngineName,
    settings: Settings,
    done: dict[int, Done],
    tell: Callable[[float, str], None],
) -> Iterator[Done]:
    """Of all shards that are not done, round by round: an engine may lose some, and others may be at some."""
    run = cast(Engine, import_module(ENGINES[engine])).run
    before = sum(one.total for one in done.values())

    def tell_photos(photos: int) -> None:
        now = before + photos
        tell(min(1.0, now / manifest.photos), f"{now:,} of {manifest.photos:,}")

    in_vain, why = 0, ""
    while todo := [shard for shard in range(manifest.shards) if shard not in done]:
        got_on = False
        with closing(run(place.url, todo, settings, tell_photos)) as outcomes:
            for outcome in outcomes:
                why = outcome.why or why
                if outcome.done is not None:
                    got_on = True
                    yield outcome.done
        before = sum(one.total for one in done.values())
        in_vain = 0 if got_on or not why else in_vain + 1
        if in_vain == ROUNDS_IN_VAIN:
            raise InputError(f"{len(todo)} of {manifest.shards} shards could not be inspected: {why}")
        if not got_on:
            time.sleep(PAUSE)


def _check_failures(place: Place, manifest: Manifest, done: dict[int, Done], max_failures: float) -> None:
    """Raises:
    TooManyFailuresError: of the photos that were tried, as soon as a shard's worth of them was.
    """
    tried = sum(one.total for one in done.values())
    failures = sum(one.failures for one in done.values())
    if failures > max_failures * max(tried, min(manifest.shard, manifest.photos)):
        raise TooManyFailuresError(
            f"{failures:,} of {tried:,} photos could not be inspected, more than the {max_failures:.4g} that "
            f"--max-failures allows; {place.url}/{FAILURES} lists them and why. Mend that and go on with "
            "--retry-failures, or allow more."
        )


def _write_failures(place: Place, done: dict[int, Done]) -> None:
    """A list of all photos that could not be inspected, with the reason; also where there is none."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("path", "error"))
    for shard, one in sorted(done.items()):
        if one.failures:
            table = read_columns(place, shard, ["path", "verdict", "error"]).to_pylist()
            lines.writerows((row["path"], row["error"]) for row in table if row["verdict"] == "error")
    place.write(FAILURES, text.getvalue().encode())


def _not_right(place: Place, found: Count) -> str:
    """Never seen; whoever sees it is to know what to do."""
    verdicts = sum(found.verdicts.values())
    return (
        f"{place.url} holds {verdicts:,} rows of {found.photos:,} photos ({len(found.missing)} parts are missing and "
        f"{len(found.wrong)} are not of the manifest's photos); remove those parts and run this again."
    )
