"""Stages of a batch, each in threads of its own: an ordered map, and batches of what is ready.

Stacked on each other, they all work at once. Each takes from the one before only as much as it was allowed to have
ahead, and gives out what it has although the one before has nothing more yet.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from andon import resources

T = TypeVar("T")
R = TypeVar("R")


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], *, workers: int | None = None, ahead: int | None = None
) -> Iterator[R]:
    """Yield function(item) in the order of `items`, each as soon as it is known, computed in threads.

    `items` may be a camera or a queue: it is iterated in a thread of its own, which may wait as long as it likes, and
    which neither closing the iterator nor the end of the process waits for. What computes therefore belongs in
    `function`. Closing the iterator drops what has not begun and waits for what has.

    Args:
        workers: threads that compute; `resources.cpus()` of them unless given.
        ahead: the most items that are taken before their results are; 4 per worker unless given.

    Raises:
        Exception: whatever `function` or `items` raises, when its turn comes; what is before it is yielded first.
    """
    workers = workers or resources.cpus()
    pool = ThreadPoolExecutor(workers, "andon-map")
    reader = _Reader((pool.submit(function, item) for item in items), ahead or 4 * workers)
    try:
        while futures := reader.take(1):
            result = futures[0].result()
            reader.make_room(1)
            yield result
    finally:
        reader.close()
        pool.shutdown(cancel_futures=True)


def ready_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in order, in lists of those that are ready when a list is asked for: from 1 to `size` of them.

    It waits only for the first of a list. So a fast source gives full lists to a slow consumer, and a slow source gives
    single items as they come. At most `size` items are taken ahead, in a thread for which
    the same holds as for that of `ordered_map`.

    Raises:
        Exception: whatever `items` raises; what is before it is yielded first.
    """
    reader = _Reader(items, size)
    try:
        while batch := reader.take(size):
            reader.make_room(len(batch))
            yield batch
    finally:
        reader.close()


_READERS: WeakSet[_Reader[Any]] = WeakSet()
SECONDS_TO_LEAVE = 0.5


@atexit.register
def _leave_sources() -> None:
    """Let readers come out of their sources before the process ends, for a moment.

    A source may be a camera whose driver is compiled code: a thread that the end of the interpreter stops in there
    aborts the process. One that waits in Python is stopped without harm.
    """
    readers = list(_READERS)
    for reader in readers:
        reader.close()
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    for reader in readers:
        reader.thread.join(max(0.0, deadline - time.monotonic()))


class _Reader(Generic[T]):
    """Iterates a source in a thread of its own, at most `ahead` items before room is made for more.

    Both queues hold their locks in C, so that closing cannot wait for a thread that the end of the process has stopped.
    """

    def __init__(self, items: Iterable[T], ahead: int) -> None:
        self._read: SimpleQueue[tuple[T] | None] = SimpleQueue()  # None behind the last item
        self._room: SimpleQueue[None] = SimpleQueue()
        self._error: BaseException | None = None
        self._closed = False
        self.make_room(ahead - 1)  # the first item is taken without
        self.thread = Thread(target=self._run, args=(items,), name="andon-reader", daemon=True)
        _READERS.add(self)
        self.thread.start()

    def take(self, most: int) -> list[T]:
        """What has been read, at most this many items. It waits for the first; after the last item it is empty."""
        taken: list[T] = []
        while len(taken) < most:
            try:
                item = self._read.get(block=not taken)
            except Empty:
                break
            if item is None:
                self._read.put(None)  # to be found again
                if not taken:
                    self._raise()
                break
            taken += item
        return taken

    def make_room(self, places: int) -> None:
        """Let this many more items be read."""
        for _ in range(places):
            self._room.put(None)

    def close(self) -> None:
        """Read no more, from the next item on."""
        self._closed = True
        self._error = None
        self.make_room(1)

    def _run(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                self._read.put((item,))
                self._room.get()
                if self._closed:
                    break
        except BaseException as error:  # for whoever takes the items, whatever it is
            if not self._closed:
                self._error = error
        self._read.put(None)

    def _raise(self) -> None:
        """Raise what the source raised, once, and hold it no longer.

        An error that is still referred to keeps all that it came through alive: other stages, with their threads.
        """
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error
