"""An ordered map over threads with a bounded number of results in hand."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORKERS = os.cpu_count() or 1


def ordered_map(function: Callable[[T], R], items: Iterable[T], ahead: int = 4 * WORKERS) -> Iterator[R]:
    """Yield function(item) in the order of `items`, computed in threads, at most `ahead` results in advance.

    An exception of `function` is raised when its turn comes. Closing the iterator drops what has not begun.
    """
    pool = ThreadPoolExecutor(WORKERS)
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
