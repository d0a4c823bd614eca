"""Each photo is inspected once: whatever happens to the process, to names, to clocks and to the share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
import small_sets
import station_process
from receivers import Receiver, wait_until

from andon import images
from andon.errors import StoreError
from andon.store import Added, NewInspection, Store
from andon.watching import Folder, FoundFile, Watcher
from andon.watching import watcher as watcher_module

Make = Callable[..., Watcher]


def names(watcher: Watcher, folder: Path) -> list[str]:
    """The paths within the folder of what one look finds new."""
    return [Path(row["path"]).relative_to(folder).as_posix() for row in watcher.look()]


def replace(path: Path, name: str) -> None:
    """Another photo takes the file's name."""
    small_sets.make(path.parent / "beside", f"{name}.png")
    (path.parent / "beside" / f"{name}.png").replace(path)


def test_a_photo_is_inspected_once_across_restarts(folder: Path, watcher: Make, store: Store) -> None:
    small_sets.make(folder, "a.png", "b.png")
    first = watcher()
    assert sorted(names(first, folder)) == ["a.png", "b.png"]
    assert names(first, folder) == []
    small_sets.make(folder, "c.png")
    assert names(watcher(), folder) == ["c.png"]
    assert store.inspections.counts() == {"OK": 3}


def test_a_renamed_photo_and_a_copy_are_the_same_photo(
    folder: Path, watcher: Make, caplog: pytest.LogCaptureFixture
) -> None:
    small_sets.make(folder, "a.png")
    one = watcher()
    assert names(one, folder) == ["a.png"]
    (folder / "a.png").rename(folder / "renamed.png")
    shutil.copy(folder / "renamed.png", folder / "copy.png")
    with caplog.at_level("INFO", "andon"):
        assert names(one, folder) == []
    told = [record.message for record in caplog.records]
    assert len(told) == 2 and all("has the same content as" in sentence for sentence in told)
    assert names(watcher(), folder) == []


def test_two_copies_that_come_together_are_inspected_once(folder: Path, watcher: Make, store: Store) -> None:
    small_sets.make(folder, "a.png")
    shutil.copy(folder / "a.png", folder / "b.png")
    assert len(names(watcher(), folder)) == 1
    assert store.inspections.counts() == {"OK": 1}


def test_a_name_that_is_used_again_is_another_photo(folder: Path, watcher: Make) -> None:
    small_sets.make(folder, "current.png")
    one = watcher()
    assert names(one, folder) == ["current.png"]
    replace(folder / "current.png", "another")
    assert names(one, folder) == ["current.png"]


def test_the_clock_may_go_back(folder: Path, watcher: Make) -> None:
    small_sets.make(folder, "a.png", "b.png", "c.png")
    os.utime(folder / "b.png", (0, 0))  # 1970
    os.utime(folder / "c.png", (5e9, 5e9))  # 2128
    one = watcher()
    assert names(one, folder) == ["b.png", "a.png", "c.png"]
    replace(folder / "c.png", "another")
    os.utime(folder / "c.png", (1, 1))
    assert names(one, folder) == ["c.png"]


def test_a_share_that_returns_is_not_inspected_again(
    folder: Path, watcher: Make, caplog: pytest.LogCaptureFixture
) -> None:
    small_sets.make(folder, "a.png", "b.png")
    one, away = watcher(), folder.with_name("away")
    assert len(names(one, folder)) == 2
    folder.rename(away)
    for _ in range(3):
        assert names(one, folder) == []
    assert caplog.text.count("its photos wait until it is back") == 1
    small_sets.make(away, "c.png")
    for path in away.iterdir():
        os.utime(path, (1e9, 1e9))  # as after a copy
    away.rename(folder)
    assert names(one, folder) == ["c.png"]


def test_of_many_known_photos_none_is_read_again(folder: Path, watcher: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher_module, "MANY", 2)
    small_sets.make(folder, "a.png", "b.png", "c.png")
    assert len(names(watcher(), folder)) == 3
    small_sets.make(folder, "new.png")
    read: list[str] = []
    read_bytes = images.read_bytes

    def note(path: Path) -> bytes:
        read.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(images, "read_bytes", note)
    assert names(watcher(), folder) == ["new.png"]
    assert read == ["new.png"]


def test_a_database_that_is_away_is_waited_for(
    folder: Path, store: Store, watcher: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    small_sets.make(folder, "a.png")
    one, write, calls = watcher(), store.inspections.add, []

    def fail_twice(new: NewInspection) -> Added:
        calls.append(new)
        if len(calls) < 3:
            raise StoreError("The database is away.")
        return write(new)

    monkeypatch.setattr(store.inspections, "add", fail_twice)
    rows = one.rows()
    assert next(rows)["path"].endswith("a.png")
    one.stop()
    assert list(rows) == []
    assert len(calls) == 3 and caplog.text.count("The database is away.") == 1


def test_listing_very_many_files_leaves_the_processor_to_others(
    folder: Path, watcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def long_list(self: Folder) -> list[FoundFile]:
        looks.append(time.monotonic())
        time.sleep(0.05)
        return []

    monkeypatch.setattr(Folder, "due", long_list)
    one = watcher()
    one.start()
    wait_until(lambda: len(looks) > 3)
    one.stop()
    assert looks[3] - looks[0] >= 3 * 3 * 0.05


def kill_again_and_again(folder: Path, data: Path, url: str, kills: int) -> set[str]:
    """Photos come all the time while a station is killed and started again; the names of all of them."""
    rng = np.random.default_rng(0)
    sent: set[str] = set()
    is_over = Event()

    def take_photos() -> None:
        while not is_over.wait(0.05):
            name = f"{len(sent):04d}.png"
            small_sets.make(folder, name)
            sent.add(name)

    camera = Thread(target=take_photos)
    camera.start()
    for _ in range(kills):
        with station(folder, data, url) as process:
            assert process.stdout is not None
            for _ in range(int(rng.integers(2, 12))):  # it is killed after so many rows
                assert process.stdout.readline()
    is_over.set()
    camera.join()
    with station(folder, data, url), Store.open(None, data) as store:
        wait_until(lambda: store.inspections.counts() == {"OK": len(sent)} and not is_waiting(store), seconds=60)
    return sent


@contextmanager
def station(*words: object) -> Iterator[subprocess.Popen[str]]:
    """A station, killed at the end."""
    command = [sys.executable, station_process.__file__, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def is_waiting(store: Store) -> bool:
    """Whether a delivery has not arrived."""
    return any(state == "pending" for _, _, state in store.outbox.counts())


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.endurance)])
def test_kills_under_load_lose_none_and_repeat_none(tmp_path: Path, folder: Path, kills: int) -> None:
    with Receiver() as receiver:
        sent = kill_again_and_again(folder, tmp_path / "data", receiver.url, kills)
    with Store.open(None, tmp_path / "data") as store:
        rows = [one.row for one in store.inspections.each()]
    inspected = Counter(Path(row["path"]).name for row in rows)
    assert set(inspected) == sent
    assert set(inspected.values()) == {1}
    assert {post.row["inspection_id"] for post in receiver.posts} == {row["inspection_id"] for row in rows}
