"""Of several who want the same work, one gets it; of two who think they have it, one keeps it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest

from andon.batch import lease as leases
from andon.batch.asking import PlaceError
from andon.batch.lease import Lease, sweep
from andon.batch.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(str(tmp_path))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT", 0.05)
    monkeypatch.setattr(leases, "SILENCE", 10.0)


@pytest.fixture
def soon_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "SILENCE", 0.5)


def move_to_another_machine(place: Place) -> None:
    """All leases look as if another computer had written them."""
    for name in place.names("locks"):
        content = json.loads(place.read(f"locks/{name}"))
        place.write(f"locks/{name}", json.dumps(content | {"machine": "another"}).encode())


def test_one_of_many_gets_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "SILENCE", 1000.0)
    barrier = threading.Barrier(8)

    def acquire(_: int) -> Lease | None:
        barrier.wait()
        lease = Lease.acquire(place, "7")
        return lease and lease.__enter__()

    with ThreadPoolExecutor(8) as pool:
        (lease,) = filter(None, pool.map(acquire, range(8)))
    assert lease.is_held
    lease.__exit__(None)


def test_who_has_it_is_alive_and_keeps_it(place: Place) -> None:
    with Lease.acquire(place, "7") as lease:  # type: ignore[union-attr]
        for _ in range(3):
            assert Lease.acquire(place, "7") is None
        assert lease.is_held
        with Lease.acquire(place, "17") as other:  # type: ignore[union-attr]
            assert other.is_held
    assert place.names("locks") == []
    with Lease.acquire(place, "7") as lease:  # type: ignore[union-attr]
        assert lease.attempt == 1


def test_a_process_that_was_killed_is_taken_over_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "SILENCE", 1000.0)
    code = (
        "import os, sys; from andon.batch.lease import Lease; from andon.batch.place import Place; "
        "Lease.acquire(Place.at(sys.argv[1]), '7').__enter__(); os.kill(os.getpid(), 9)"
    )
    for attempt in (1, 2):
        killed = subprocess.run([sys.executable, "-c", code, place.root], timeout=60, check=False)
        assert killed.returncode == -9
        assert place.names("locks")[-1] == f"7.{attempt}"
    with Lease.acquire(place, "7") as lease:  # type: ignore[union-attr]
        assert lease.attempt == 3
    assert place.names("locks") == []


def test_silence_on_another_machine_is_waited_for(place: Place, soon_dead: None) -> None:
    """Whether there is a process of that number on this computer says nothing of that one."""
    first = Lease.acquire(place, "7")
    assert first is not None
    content = json.loads(place.read("locks/7.1"))
    place.write("locks/7.1", json.dumps(content | {"machine": "another", "since": 0}).encode())
    started = time.monotonic()
    second = Lease.acquire(place, "7")
    assert time.monotonic() - started >= leases.SILENCE
    assert second is not None and second.attempt == 2
    assert second.is_held and not first.is_held
    with second, first:
        pass  # the first one leaves what is not its own
    assert place.names("locks") == []


def test_who_was_thought_dead_does_not_write(place: Place, soon_dead: None) -> None:
    """It slept, as a notebook does, and its thread wakes up when the work has been done and begun again."""
    sleeper = Lease.acquire(place, "7")
    assert sleeper is not None
    move_to_another_machine(place)
    with Lease.acquire(place, "7"):  # type: ignore[union-attr]
        pass
    with Lease.acquire(place, "7") as third:  # type: ignore[union-attr]
        assert third.attempt == sleeper.attempt == 1
        assert not sleeper.is_held
        with sleeper:
            threading.Event().wait(0.2)
        assert third.is_held


def test_what_failed_is_known_to_the_next_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "SILENCE", 1000.0)
    for attempt in (1, 2, 3):
        with pytest.raises(RuntimeError), Lease.acquire(place, "7") as lease:  # type: ignore[union-attr]
            assert lease.attempt == attempt
            raise RuntimeError
    sweep(place)
    assert place.names("locks") == []


def test_a_lease_that_was_never_written_whole_is_taken_over(place: Place, soon_dead: None) -> None:
    place.write("locks/7.1", b"")
    with Lease.acquire(place, "7") as lease:  # type: ignore[union-attr]
        assert lease.attempt == 2


@pytest.mark.slow
def test_a_store_that_is_away_for_a_while_does_not_lose_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    away = threading.Event()
    write, names = Place.write, Place.names

    def is_there() -> bool:
        if away.is_set():
            raise PlaceError("away")
        return True

    monkeypatch.setattr(Place, "write", lambda *args: is_there() and write(*args))
    monkeypatch.setattr(Place, "names", lambda *args: is_there() and names(*args))
    with Lease.acquire(place, "7") as lease:  # type: ignore[union-attr]
        away.set()
        threading.Event().wait(1.0)
        away.clear()
        assert lease.is_held
        assert Lease.acquire(place, "7") is None  # it beats again


def test_where_all_may_create_one_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not know how to create a file only where there is none."""
    place = Place(fsspec.filesystem("memory"), "/bucket/out")
    fs = type(place.fs)
    monkeypatch.setattr(fs, "pipe_file", lambda self, path, data, mode="": self.open(path, "wb", data=data))
    looked = threading.Barrier(2)
    newest = leases._newest
    first_looks = iter([True, True])

    def look_together(*args: object) -> object:
        found = newest(*args)  # type: ignore[arg-type]
        if next(first_looks, False):
            looked.wait()
        return found

    monkeypatch.setattr(leases, "_newest", look_together)
    with ThreadPoolExecutor(2) as pool:
        found = [lease for lease in pool.map(lambda _: Lease.acquire(place, "7"), range(2)) if lease]
    assert [lease.is_held for lease in found].count(True) == 1
    place.fs.store.clear()
