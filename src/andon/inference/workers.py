"""Threads that share the cores out among them: small tasks side by side beat one task that is split over all cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from andon import resources

R = TypeVar("R")

_THREAD = threading.local()


class Workers:
    """As many threads as cores. They begin when they are first needed and stay, for all who call.

    Args:
        begin: what each of them does first.
    """

    def __init__(self, name: str, begin: Callable[[], None] | None = None) -> None:
        self._name = name
        self._begin = begin
        self._starting = threading.Lock()
        self._pool: Executor | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def map(self, function: Callable[..., R], *items: Iterable[Any]) -> Iterator[R]:
        """Like `map`, in order, but side by side; dropping the iterator drops what has not begun.

        Any number of threads may call it at once. Where a task calls it, that task's own thread does the work: threads
        that waited for each other would wait forever.
        """
        if getattr(_THREAD, "is_worker", False):
            return map(function, *items)
        with self._starting:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(resources.cpus(), self._name, initializer=self._start)
        return self._pool.map(function, *items)

    def _start(self) -> None:
        if self._begin is not None:
            self._begin()
        _THREAD.is_worker = True

    def _forget(self) -> None:
        """For a forked process: it lacks its parent's threads and must not wait for a lock that one of them held."""
        self._starting = threading.Lock()
        self._pool = None


_WORKERS = Workers("andon-infer")


def over_cores(function: Callable[..., R], *items: Iterable[Any]) -> list[R]:
    """Like `map`, in order, but side by side, see `Workers.map`; for what does not use torch."""
    return list(_WORKERS.map(function, *items))
