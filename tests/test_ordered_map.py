"""Stages of a batch: in order, bounded, lazy in both directions, and gone when they are closed."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest

from andon.ordered_map import ordered_map, ready_batches

SECONDS_TO_END = 20  # far more than a process needs that waits for nothing

NEVER_ENDING = """
import threading, time
from andon.ordered_map import ordered_map, ready_batches

def camera():
    yield 1
    yield 2
    threading.Event().wait()  # the next part never comes

def work():
    return ordered_map(str, (i for batch in ready_batches(ordered_map(abs, camera()), 8) for i in batch))
"""


@pytest.fixture(autouse=True)
def three_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a machine with fewer cores."""
    monkeypatch.setenv("ANDON_THREADS", "3")


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is left is not cleared away by chance."""
    gc.disable()
    yield
    gc.enable()


def test_results_come_in_order_whatever_takes_longest() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.05 if i == 0 else 0)
        return i * i

    assert list(ordered_map(slow_first, range(20))) == [i * i for i in range(20)]


def test_as_many_work_at_once_as_were_asked_for() -> None:
    together = threading.Barrier(2, timeout=5)

    def meet(_: int) -> int:
        together.wait()
        return threading.get_ident()

    assert len(set(ordered_map(meet, range(4), workers=2))) == 2
    assert len(set(ordered_map(lambda _: threading.get_ident(), range(4), workers=1))) == 1


def test_a_result_is_given_out_although_the_source_has_no_next_item_yet() -> None:
    """Through all stages of a batch, as a camera needs it."""
    more = threading.Event()

    def camera() -> Iterator[int]:
        yield 1
        assert more.wait(5), "the first result was held back"
        yield 2

    batches = ready_batches(ordered_map(abs, camera()), 8)
    results = ordered_map(str, (item for batch in batches for item in batch))
    assert next(results) == "1"
    more.set()
    assert list(results) == ["2"]


def test_the_first_result_of_a_slow_source_comes_within_the_first_items_own_time() -> None:
    def camera() -> Iterator[float]:
        for _ in range(5):
            time.sleep(0.05)
            yield time.perf_counter()

    delays = []
    for batch in ready_batches(ordered_map(lambda taken: taken, camera()), 8):
        assert len(batch) == 1
        delays.append(time.perf_counter() - batch[0])
    assert len(delays) == 5
    assert min(delays) < 0.04


def test_a_batch_is_full_where_the_source_is_faster_than_its_taker() -> None:
    busy, enough = threading.Event(), threading.Event()

    def source() -> Iterator[int]:
        yield 0
        assert busy.wait(5)
        yield from range(1, 8)
        enough.set()
        yield from range(8, 20)

    batches = ready_batches(source(), 8)
    assert next(batches) == [0]
    busy.set()
    assert enough.wait(5)
    time.sleep(0.02)  # the eighth is on its way
    assert next(batches) == list(range(1, 9))
    assert [item for batch in batches for item in batch] == list(range(9, 20))


@pytest.mark.parametrize(("stage", "most"), [("map", 1 + 3), ("batches", 3 + 3)])
def test_no_more_is_taken_than_may_be_ahead(stage: str, most: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in count():
            taken.append(i)
            yield i

    stages = {"map": ordered_map(abs, items(), ahead=3), "batches": ready_batches(items(), 3)}
    with closing(stages[stage]) as results:  # type: ignore[type-var]
        next(results)
        time.sleep(0.1)
        assert len(taken) <= most
    time.sleep(0.1)
    assert len(taken) <= most


def test_with_one_ahead_an_item_is_taken_only_when_the_result_before_it_is_known() -> None:
    """So a batch is put together when the scorer is free for it, and not earlier with fewer photos."""
    working = threading.Event()
    seen = []

    def items() -> Iterator[int]:
        for i in range(4):
            seen.append(working.is_set())
            yield i

    def work(i: int) -> int:
        working.set()
        time.sleep(0.02)
        working.clear()
        return i

    assert list(ordered_map(work, items(), workers=1, ahead=1)) == [0, 1, 2, 3]
    assert seen == [False] * 4


@pytest.mark.parametrize("where", ["function", "items", "items of batches"])
def test_an_exception_is_raised_when_its_turn_comes(where: str) -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        if where != "function":
            raise ValueError("here")
        yield 0

    inner = ordered_map(lambda i: 1 // i, items())
    results = inner if where != "items of batches" else (i for batch in ready_batches(inner, 2) for i in batch)
    assert [next(results), next(results)] == [1, 0]
    with pytest.raises((ValueError, ZeroDivisionError)):
        next(results)


def test_what_was_read_before_a_source_broke_is_given_out_first() -> None:
    broken = threading.Event()

    def items() -> Iterator[int]:
        yield from (1, 2)
        broken.set()
        raise ValueError("here")

    def taken_late() -> Iterator[list[int]]:
        batches = ready_batches(items(), 8)
        first = next(batches)
        assert broken.wait(5)
        time.sleep(0.02)
        yield first
        yield from batches

    given: list[int] = []
    with pytest.raises(ValueError, match="here"):
        for batch in taken_late():
            given += batch
    assert given == [1, 2]


def threads_come_back_to(number: int) -> bool:
    give_up = time.monotonic() + 5
    while threading.active_count() > number and time.monotonic() < give_up:
        time.sleep(0.005)
    return threading.active_count() <= number


@pytest.mark.usefixtures("no_collector")
def test_no_thread_is_left_of_what_was_closed() -> None:
    before = threading.active_count()
    for _ in range(50):
        outer = ordered_map(len, ready_batches(ordered_map(str, range(100)), 3), ahead=2)
        next(outer)
        outer.close()  # type: ignore[attr-defined]
        del outer
        assert threads_come_back_to(before)


@pytest.mark.usefixtures("no_collector")
def test_no_thread_is_left_of_what_broke() -> None:
    before = threading.active_count()
    results = ready_batches((1 // (1 - i) for i in ordered_map(abs, count())), 1)
    assert next(results) == [1]
    with suppress(ZeroDivisionError):
        next(results)
        raise AssertionError("nothing was raised")
    assert threads_come_back_to(before)


@pytest.mark.parametrize("end", ["next(work())", "results = work(); next(results)", "list(zip(range(1), work()))"])
def test_a_process_ends_although_its_source_never_does(end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NEVER_ENDING + end], timeout=SECONDS_TO_END, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is a signal elsewhere")
def test_ctrl_c_ends_a_process_that_waits_for_its_source(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"{NEVER_ENDING}\nfor result in work():\n    if result == '2':\n        open({str(ready)!r}, 'w').close()"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    try:
        give_up = time.monotonic() + SECONDS_TO_END
        while not ready.exists() and time.monotonic() < give_up:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS_TO_END)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGINT
    assert said.rstrip().endswith("KeyboardInterrupt")
