"""Work in a process of its own: what kills it kills nothing else, and it does not outlive whoever started it.

This file is imported before the process knows how many cores it has, so it imports nothing that computes.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import ParamSpec, Self, TypeVar

import psutil

from andon.errors import InputError
from andon.resources import use_cores

P = ParamSpec("P")
R = TypeVar("R")

SECONDS_BETWEEN_LOOKS = 0.2
_count: Synchronized[int] | None = None
_memory: int | None = None


class DiedError(Exception):
    """The process ended in the middle of its work."""


class Apart:
    """A process that is started when it is first needed, and again after it has died. Use it as a context manager.

    Args:
        cores: how many it computes with; as many as this process unless given.
        memory: bytes, above which it ends itself; no limit unless given.

    Raises:
        InputError: this computer lets no processes share anything.
    """

    def __init__(self, cores: int | None = None, memory: int | None = None) -> None:
        self._context = get_context("spawn")
        try:
            self._stop = self._context.Event()
            self._count: Synchronized[int] = self._context.Value("Q", 0)
        except OSError as error:
            raise InputError(
                f"No worker can be started ({error.strerror or error}): it needs /dev/shm and a folder for temporary "
                "files, so both must be there and writable."
            ) from None
        self._limits = cores, _memory if memory is None else memory
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    @property
    def counted(self) -> int:
        """How often the processes have called `count_one`."""
        return self._count.value

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns there.

        Raises:
            DiedError: the process ended instead.
            Exception: whatever the function raises.
        """
        try:
            # a name for the future would keep all alive
            return self._submit(partial(function, *args, **kwargs)).result()
        except BrokenProcessPool:
            self._end()
            raise DiedError from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._end()

    def _submit(self, work: Callable[[], R]) -> Future[R]:
        with self._lock:
            if self._stop.is_set():
                raise DiedError
            if self._pool is None:
                begin = os.getpid(), self._stop, self._count, *self._limits
                self._pool = ProcessPoolExecutor(1, self._context, _begin, begin)
            with _interrupts_held_back():  # the process starts with what this thread holds back
                return self._pool.submit(work)

    def _end(self) -> None:
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None


def count_one() -> None:
    """Tell whoever started this process that one more thing is done."""
    if _count is not None:
        with _count.get_lock():
            _count.value += 1


def end_above(memory: int) -> None:
    """End this process, at once, when it holds more than so many bytes."""
    global _memory
    _memory = memory
    process = psutil.Process()
    _whenever(lambda: process.memory_info().rss > memory)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C goes to all processes of a terminal, also to one that has not begun to ignore it yet."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int, stop: Event, counted: Synchronized[int], cores: int | None, memory: int | None) -> None:
    global _count
    _count = counted
    with suppress(ValueError):  # Ctrl-C is for whoever started it
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if cores is not None:
        use_cores(cores)
    if memory is not None:
        end_above(memory)
    _whenever(lambda: stop.is_set() or os.getppid() != parent)


def _whenever(condition: Callable[[], bool]) -> None:
    """End this process when the condition holds."""

    def look() -> None:
        while not condition():
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=look, name="andon-end", daemon=True).start()
