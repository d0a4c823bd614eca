"""Each photo is inspected once: whatever happens to the process, to names, to clocks and to the share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import small_sets
import station_process

from andon import images
from andon.store import Store
from andon.watching import Watcher, watcher as watcher_module

Make = Callable[..., Watcher]


def names(watcher: Watcher, folder: Path) -> list[str]:
    """The paths within the folder of what one look finds new."""
    return [Path(row["path"]).relative_to(folder).as_posix() for row in watcher.look()]


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
    images.write(folder / "current.png", np.zeros((20, 30, 3), np.uint8))
    assert names(one, folder) == ["current.png"]


def test_the_clock_may_go_back(folder: Path, watcher: Make) -> None:
    small_sets.make(folder, "a.png", "b.png", "c.png")
    os.utime(folder / "b.png", (0, 0))  # 1970
    os.utime(folder / "c.png", (5e9, 5e9))  # 2128
    one = watcher()
    assert names(one, folder) == ["b.png", "a.png", "c.png"]
    images.write(folder / "c.png", np.zeros((20, 30, 3), np.uint8))
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


def test_of_many_known_photos_none_is_read_again(
    folder: Path, watcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "MANY", 2)
    small_sets.make(folder, "a.png", "b.png", "c.png")
    assert len(names(watcher(), folder)) == 3
    small_sets.make(folder, "new.png")
    read = []
    read_bytes = images.read_bytes
    monkeypatch.setattr(images, "read_bytes", lambda path: read.append(path.name) or read_bytes(path))
    assert names(watcher(), folder) == ["new.png"]
    assert read == ["new.png"]


def test_a_database_that_is_away_is_waited_for(folder: Path, store: Store, watcher: Make) -> None:
    small_sets.make(folder, "a.png")
    one = watcher()
    write = store.inspections.add
    calls = []

    def fail_once(new: object) -> object:
        calls.append(new)
        if len(calls) == 1:
            raise watcher_module.StoreError("The database is away.")
        return write(new)

    store.inspections.add = fail_once
    one._every = 0.01
    rows = one.rows()
    assert next(rows)["path"].endswith("a.png")
    one.stop()
    assert list(rows) == []
    assert len(calls) == 2


def kill_again_and_again(tmp_path: Path, folder: Path, kills: int, *, seed: int = 0) -> tuple[set[str], Store]:
    """Photos come all the time while a station is killed and started again; the names of all, and its store."""
    data = tmp_path / "data"
    rng = np.random.default_rng(seed)
    sent: set[str] = set()
    over: list[bool] = []

    def deliver() -> None:
        while not over:
            name = f"{len(sent):04d}.png"
            small_sets.make(folder, name)
            sent.add(name)
            time.sleep(0.01)

    camera = Thread(target=deliver)
    camera.start()
    for attempt in range(kills + 1):
        if attempt == kills:
            over.append(True)
            camera.join()
        station = subprocess.Popen(
            [sys.executable, station_process.__file__, folder, data], stdout=subprocess.PIPE, text=True
        )
        assert station.stdout is not None
        wanted = int(rng.integers(5, 15))
        for _ in range(wanted):
            assert station.stdout.readline()
        if attempt == kills:
            wait_for(data, len(sent))
        station.kill()
        station.communicate()
    return sent, Store.open(None, data)


def wait_for(data: Path, photos: int) -> None:
    with Store.open(None, data) as store:
        deadline = time.monotonic() + 60
        while sum(store.inspections.counts().values()) < photos and time.monotonic() < deadline:
            time.sleep(0.05)


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_under_load_lose_none_and_repeat_none(tmp_path: Path, folder: Path, kills: int) -> None:
    sent, store = kill_again_and_again(tmp_path, folder, kills)
    with store:
        inspected = Counter(Path(one.row["path"]).name for one in store.inspections.each())
    assert set(inspected) == sent
    assert set(inspected.values()) == {1}
