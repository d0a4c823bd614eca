"""Progress of long work: a bar with an ETA on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

LOG = logging.getLogger("andon")
SECONDS_BETWEEN_LINES = 10.0
SHARE_BEFORE_ETA = 0.02  # the first steps of a work tell little of its pace


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield `items` unchanged while telling how far the work is."""
    if sys.stderr.isatty():
        yield from _bar(items, what, total)
    else:
        yield from _lines(items, what, total)


def _bar(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import track as rich_track

    yield from rich_track(items, what, total=total, console=Console(stderr=True), transient=True)


def _lines(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    started = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last >= SECONDS_BETWEEN_LINES:
            last = now
            remaining = (now - started) / done * (total - done)
            eta = f", about {remaining:.0f} s left" if done >= SHARE_BEFORE_ETA * total else ""
            LOG.info(f"{what}: {done} of {total}{eta}")
        yield item


@contextmanager
def counted(what: str, total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
    """Tell how far work of `total` steps has come. Call what this returns after each step, with a few words on it."""
    tell = _counted_in_a_bar if sys.stderr.isatty() else _counted_in_lines
    with tell(what, total, done) as step:
        yield step


@contextmanager
def _counted_in_a_bar(what: str, total: int, done: int) -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done)

        def step(words: str) -> None:
            bar.update(task, advance=1, description=f"{what} {bar.tasks[0].completed + 1:.0f}: {words}")

        yield step


@contextmanager
def _counted_in_lines(what: str, total: int, done: int) -> Iterator[Callable[[str], None]]:
    first, started = done, time.monotonic()
    last = started

    def step(words: str) -> None:
        nonlocal done, last
        done += 1
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES or done == total:
            last = now
            remaining = (now - started) / (done - first) * (total - done)
            LOG.info(f"{what} {done} of {total}: {words}; about {remaining:.0f} s left")

    yield step
