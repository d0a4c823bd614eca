"""Many write at once, each with a store of its own, as processes have; nobody is refused, and nothing is missed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from drawn_rows import drawn_row

from andon.store import NewInspection, Store

WRITERS, EACH = 6, 10


def test_writers_wait_for_each_other(url: str, tmp_path: Path) -> None:
    """Adding a review reads and then writes: without BEGIN IMMEDIATE SQLite refuses that at once if others wrote."""
    with Store.open(url, tmp_path) as store:
        ids = [store.inspections.add(NewInspection(row=drawn_row())).inspection_id for _ in range(EACH)]

        def write(name: int) -> None:
            with Store.open(url, tmp_path) as own:
                for inspection_id in ids:
                    own.reviews.add(inspection_id, "OK", by=str(name))

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))
        assert all(len(store.reviews.of(inspection_id)) == WRITERS for inspection_id in ids)


def test_threads_share_a_store(store: Store) -> None:
    def write(_: int) -> list[int]:
        return [store.inspections.add(NewInspection(row=drawn_row())).number for _ in range(EACH)]

    with ThreadPoolExecutor(WRITERS) as pool:
        numbers = [number for written in pool.map(write, range(WRITERS)) for number in written]
    assert sorted(numbers) == list(range(1, WRITERS * EACH + 1))


def test_who_follows_the_events_misses_none(url: str, tmp_path: Path) -> None:
    """A number must not become visible after a larger one, which PostgreSQL alone does not see to."""
    done = Event()

    def follow() -> list[str]:
        seen: list[str] = []
        last = 0
        with Store.open(url, tmp_path) as store:
            while True:
                is_last_look = done.wait(0.001)
                for event in store.events.since(last):
                    seen.append(event.subject)
                    last = event.number
                if is_last_look:
                    return seen

    def write(_: int) -> list[str]:
        with Store.open(url, tmp_path) as store:
            return [store.inspections.add(NewInspection(row=drawn_row())).inspection_id for _ in range(EACH)]

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        seen = pool.submit(follow)
        written = [one for ids in pool.map(write, range(WRITERS)) for one in ids]
        done.set()
        assert sorted(seen.result()) == sorted(written)
