"""One stage of a batch: in order, bounded, at once, and gone when it is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from andon.ordered_map import ordered_map


def test_results_come_in_order_whatever_takes_longest() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.05 if i == 0 else 0)
        return i * i

    assert list(ordered_map(slow_first, range(20))) == [i * i for i in range(20)]


def test_a_result_does_not_wait_for_later_items() -> None:
    more = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert more.wait(5), "the first result was held back"
        yield 2

    results = ordered_map(str, items())
    assert next(results) == "1"
    more.set()
    assert list(results) == ["2"]


def test_no_more_is_taken_than_may_wait() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(1000):
            taken.append(i)
            yield i

    results = ordered_map(str, items(), ahead=3)
    assert next(results) == "0"
    time.sleep(0.1)
    assert len(taken) <= 6
    results.close()  # type: ignore[attr-defined]
    assert len(taken) <= 8


@pytest.mark.parametrize("where", ["function", "items"])
def test_an_exception_is_raised_when_its_turn_comes(where: str) -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        if where == "items":
            raise ValueError("here")
        yield 0

    results = ordered_map(lambda i: 1 // i if where == "function" else i, items())
    assert [next(results), next(results)] == ([1, 0] if where == "function" else [1, 2])
    with pytest.raises((ValueError, ZeroDivisionError)):
        next(results)


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    inner = ordered_map(str, range(100))
    outer = ordered_map(len, inner, ahead=2)
    next(outer)
    outer.close()  # type: ignore[attr-defined]
    del outer, inner
    time.sleep(0.1)
    assert threading.active_count() == before
