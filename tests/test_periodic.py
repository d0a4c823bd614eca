"""Work that is done again and again begins when it should, and ends."""

from __future__ import annotations

import threading
import time

import pytest

from andon.periodic import Periodic


@pytest.mark.parametrize("at_once", [True, False])
def test_it_works_at_once_or_rests_first(at_once: bool) -> None:
    worked = threading.Event()
    periodic = Periodic("test", worked.set, every=60, at_once=at_once, patience=5)
    periodic.start()
    assert worked.wait(0.3) is at_once
    periodic.stop()


def test_it_works_again_until_it_is_stopped() -> None:
    times: list[float] = []
    twice = threading.Event()

    def work() -> None:
        times.append(time.monotonic())
        if len(times) == 2:
            twice.set()

    periodic = Periodic("test", work, every=0.01, patience=5)
    periodic.start()
    assert twice.wait(5)
    periodic.stop()
    worked = len(times)
    time.sleep(0.05)
    assert len(times) == worked


def test_stopping_waits_for_a_work_under_way_but_not_for_ever() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(10)

    periodic = Periodic("test", work, every=60, patience=0.1)
    periodic.start()
    assert begun.wait(5) and not periodic.is_stopping
    began = time.monotonic()
    periodic.stop()
    assert periodic.is_stopping and time.monotonic() - began < 5
    may_end.set()


def test_one_that_never_began_can_be_stopped() -> None:
    Periodic("test", lambda: None, every=60, patience=5).stop()
