"""An ordered map over threads: one stage of a batch. Several of them, each over the one before, work at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORKERS = os.cpu_count() or 1


def ordered_map(function: Callable[[T], R], items: Iterable[T], ahead: int = 4 * WORKERS) -> Iterator[R]:
    """Yield function(item) in the order of `items`, each as soon as it is known, computed in threads.

    `items` is iterated in a thread of its own. At most `ahead` results wait to be taken; then the work pauses. An
    exception of `function` or of `items` is raised when its turn comes. Closing the iterator drops what has not begun.
    """
    results: Queue[Future[R] | None] = Queue(ahead)
    closed = Event()
    feeder = Thread(target=_feed, args=(function, items, results, closed), daemon=True)
    feeder.start()
    result: Future[R] | None = None
    try:
        while (result := results.get()) is not None:
            yield result.result()
    finally:
        closed.set()
        while result is not None:
            result.cancel()
            result = results.get()
        feeder.join()


def _feed(function: Callable[[T], R], items: Iterable[T], results: Queue[Future[R] | None], closed: Event) -> None:
    """Put the future of each item into `results`, in order, and None after the last."""
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for item in items:
                if closed.is_set():
                    break
                results.put(pool.submit(function, item))
    except Exception as error:
        failed: Future[R] = Future()
        failed.set_exception(error)
        results.put(failed)
    finally:
        results.put(None)


def ready_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Runs of at most `size` items."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
