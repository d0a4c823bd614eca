"""Progress of long work: a bar with an ETA on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
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
