"""Progress of long work: a bar with an ETA on a terminal, a line now and then elsewhere.

What is tracked within `whole` is a phase of one work: the bar, or the line, counts all of it.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from andon.work import Phase, Work

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")

LOG = logging.getLogger("andon")
SECONDS_BETWEEN_LINES = 10.0
SHARE_BEFORE_ETA = 0.02  # the first steps of a work tell little of its pace


@contextmanager
def whole(phases: Iterable[Phase] = (), work: Work | None = None) -> Iterator[None]:
    """All that is tracked within the block is one work, of the expected phases and those that turn up.

    Within a whole, another one is a part of it.

    Args:
        work: what counts it, where somebody else wants to know.
    """
    global _whole
    outer = _whole
    _whole = outer or _Showing(work or Work())
    expect(phases)
    try:
        yield
    finally:
        _whole = outer


def expect(phases: Iterable[Phase]) -> None:
    """Say what is still to be done and how long it may take, where there is a `whole` that wants to know."""
    if _whole is not None:
        _whole.work.expect(phases)


def finish(what: str) -> None:
    """Say that what is not done of a phase need not be, where there is a `whole`."""
    if _whole is not None:
        _whole.work.finish(what)


@contextmanager
def untold() -> Iterator[None]:
    """What is tracked within the block is told nobody: it is a part of a step that is."""
    global _whole
    outer = _whole
    _whole = _Untold(Work())
    try:
        yield
    finally:
        _whole = outer


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield `items` unchanged while telling how far the work is."""
    with _shown() as showing:
        for number, item in enumerate(items, start=1):
            yield item
            showing.advance(what, 1, total, f"{what}: {number} of {total}")


@contextmanager
def counted(what: str, total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
    """Tell how far work of `total` steps has come. Call what this returns after each step, with a few words on it."""
    to_do = total - done

    def step(words: str) -> None:
        nonlocal done
        done += 1
        showing.advance(what, 1, to_do, f"{what} {done} of {total}: {words}", at_once=done == total)

    with _shown() as showing:
        yield step
        showing.work.finish(what)


@contextmanager
def measured(what: str, part: float = 1.0) -> Iterator[Callable[[float, str], None]]:
    """For work whose steps differ: call what this returns with the share that is done, in [0, 1], and a few words.

    Args:
        part: of the phase `what`, that this work is.
    """
    told = 0.0

    def tell(share: float, words: str) -> None:
        nonlocal told
        if share > told:
            showing.advance(what, part * (share - told), part, f"{what}: {words}")
            told = share

    with _shown() as showing:
        yield tell
        tell(1.0, "done")


@contextmanager
def _shown() -> Iterator[_Showing]:
    """The whole, or a work of its own, shown within the block. Behind it messages may follow."""
    showing = _whole or _Showing(Work())
    showing.begin()
    try:
        yield showing
    finally:
        showing.end()


class _Showing:
    """A work, and where it is shown."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._bar = _bar() if sys.stderr.isatty() else None
        self._share = 0.0
        self._depth = 0  # of phases within phases
        self._last_line = time.monotonic()

    def advance(self, name: str, done: float, items: float, said: str, *, at_once: bool = False) -> None:
        """So much more of a phase is done; `at_once` says it although a line was written a moment ago."""
        self.work.advance(name, done, items)
        self._share = max(self._share, self.work.share)  # the estimate may fall, but nobody wants a bar to go back
        if self._bar is not None:
            eta = self._eta().removeprefix(", ")
            words = f"{eta}; {said}" if eta else said  # a narrow terminal cuts off what comes last
            self._bar.update(self._bar.task_ids[0], completed=self._share, description=words)
        elif at_once or time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            of_all = f"{self._share:.0%} of all, " if self is _whole else ""
            LOG.info(f"{of_all}{said}{self._eta()}")

    def begin(self) -> None:
        """Show it."""
        self._depth += 1
        if self._bar is not None:
            self._bar.start()

    def end(self) -> None:
        """Show it no more, unless it is within another phase."""
        self._depth -= 1
        if self._bar is not None and not self._depth:
            self._bar.stop()

    def _eta(self) -> str:
        left = self.work.left
        return f", about {in_words(left)} left" if self.work.share >= SHARE_BEFORE_ETA and left >= 0.5 else ""


class _Untold(_Showing):
    def advance(self, name: str, done: float, items: float, said: str, *, at_once: bool = False) -> None:
        del name, done, items, said, at_once

    def begin(self) -> None:
        pass

    def end(self) -> None:
        pass


_whole: _Showing | None = None


def _bar() -> Progress:
    """Share done, time since the beginning, and a few words."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    words = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    share, elapsed = TaskProgressColumn(), TimeElapsedColumn(table_column=Column(min_width=7))
    columns = (BarColumn(12, table_column=Column(min_width=12)), share, elapsed, words)
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("", total=1.0)
    return bar


def in_words(seconds: float) -> str:
    """A time to wait, no more exact than it is known."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
