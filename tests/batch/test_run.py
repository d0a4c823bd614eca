"""What a run makes of its engine: lost shards are asked for again, troubles are waited out, and all is counted."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import batches
import pytest
from batches import rows_of
from conftest import Command, Ran

from andon import files, progress
from andon.batch import place as places
from andon.batch import run as runs
from andon.batch.engine import Outcome, Outcomes, Settings
from andon.batch.process import Apart
from andon.errors import InputError, ModelError

Run = Callable[[str, Sequence[int], Settings, Callable[[int], None]], Outcomes]


@pytest.fixture
def with_engine(
    batch: Command, photos: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[[Run], Ran]:
    """Inspect four shards of ten photos with an engine; there is no pause between rounds."""
    monkeypatch.setattr(runs, "PAUSE", 0.0)

    def inspect(run: Run) -> Ran:
        monkeypatch.setitem(sys.modules, "an_engine", SimpleNamespace(run=run))
        monkeypatch.setitem(runs.ENGINES, "local", "an_engine")
        return batch(photos, "--shard", 10)

    return inspect


def test_shards_that_an_engine_loses_are_asked_for_again(with_engine: Callable[[Run], Ran], tmp_path: Path) -> None:
    """As Ray Data did before October 2026."""
    asked = []

    def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
        asked.append(list(shards))
        yield from batches.run(out, shards[1::2] or shards, settings, tell)

    assert with_engine(run).code == 0
    assert asked == [[0, 1, 2, 3], [0, 2], [0]]
    assert len(rows_of(tmp_path / "out")) == 40


def test_an_engine_that_says_what_is_not_so_is_found_out(with_engine: Callable[[Run], Ran], tmp_path: Path) -> None:
    rounds = []

    def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
        rounds.append(list(shards))
        for outcome in batches.run(out, shards, settings, tell):
            if outcome.shard == 2 and len(rounds) in lies:
                (tmp_path / "out" / "parts" / "0000002.parquet").unlink()
            yield outcome

    lies: Sequence[int] = (1,)
    assert with_engine(run).code == 0
    assert rounds == [[0, 1, 2, 3], [2]]
    (tmp_path / "out" / "parts" / "0000002.parquet").unlink()
    rounds.clear()
    lies = (1, 2)
    ran = with_engine(run)
    assert ran.code == 2
    assert "holds 30 rows of 40 photos (1 parts are missing" in ran.err
    assert "Counted" not in ran.out


def test_a_trouble_that_passes_does_not_end_it(
    with_engine: Callable[[Run], Ran], caplog: pytest.LogCaptureFixture
) -> None:
    troubles = iter([OSError("the share is away")] * 6)

    def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
        for shard in shards:
            error = next(troubles, None)
            yield from [Outcome.of_error(shard, error)] if error else batches.run(out, [shard], settings, tell)

    assert with_engine(run).code == 0
    assert caplog.text.count("Shard 0 could not be inspected and is tried again: the share is away") == 1


def test_a_trouble_that_stays_ends_it(with_engine: Callable[[Run], Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PATIENCE", 0.05)

    def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
        for shard in shards:
            yield Outcome.of_error(shard, OSError("the share is away"))

    ran = with_engine(run)
    assert ran.code == 2
    assert "None of the 4 shards that are left could be inspected for 0 s: the share is away" in ran.err


def test_what_the_user_has_to_mend_ends_it_at_once(with_engine: Callable[[Run], Ran]) -> None:
    def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
        yield Outcome.of_error(0, ModelError("The model is damaged."))
        raise AssertionError("nobody asks for more")

    ran = with_engine(run)
    assert ran.code == 2
    assert "Error: The model is damaged." in ran.err


def test_a_full_disk_ends_it_and_the_same_command_goes_on(
    batch: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = files.write_whole

    def fill(path: Path, data: bytes) -> None:
        if path.name == "0000002.parquet":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(places, "write_whole", fill)
        ran = batch(photos, "--shard", 10)
    assert ran.code == 2
    assert "0000002.parquet cannot be used (No space left on device); make room" in ran.err
    assert "2 of 4 shards are done; the same command goes on from there." in caplog.text
    assert batch(photos).code == 0
    assert len(rows_of(tmp_path / "out")) == 40
    assert not list((tmp_path / "out" / "locks").iterdir())


def test_a_folder_that_cannot_be_written(andon_: Command, photos: Path, exported: Path) -> None:
    ran = andon_("batch", exported, photos, "-o", "/proc/andon-batch")
    assert ran.code == 2
    assert "/proc/andon-batch" in ran.err and "check" in ran.err


@pytest.mark.slow
def test_the_pace_is_that_of_this_run(
    with_engine: Callable[[Run], Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 photos 20 were done before; what a worker counts twice, because it died, is not more than there is."""
    told: list[tuple[float, str]] = []

    @contextmanager
    def measured(what: str) -> Iterator[Callable[[float, str], None]]:
        yield lambda share, words: told.append((share, words))

    def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
        for outcome, photos in zip(batches.run(out, shards, settings, lambda _: None), (0, 5, 45, 45), strict=False):
            tell(photos)
            yield outcome

    assert with_engine(run).code == 0
    for shard in (1, 2):
        (tmp_path / "out" / "parts" / f"000000{shard}.parquet").unlink()
    monkeypatch.setattr(progress, "measured", measured)
    assert with_engine(run).code == 0
    assert told == [(0.0, "20 of 40"), (0.25, "25 of 40")]
    told.clear()
    for shard in (0, 1, 2):
        (tmp_path / "out" / "parts" / f"000000{shard}.parquet").unlink()
    with_engine(run)
    assert told[-1] == (1.0, "40 of 40")


def test_a_computer_without_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)
    with pytest.raises(InputError, match=r"Read-only file system.*/dev/shm"):
        Apart()
