"""What is done again and again, beside what a process is there for."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread


class Periodic:
    """Does a work every so many seconds, in a thread of its own that the end of the process does not wait for.

    Args:
        name: of the thread.
        work: what is done. An exception that it does not catch ends the thread.
        every: seconds of rest after each time.
        at_once: whether it is done as soon as it is started, or rests first.
        patience: seconds that `stop` waits for a work that is under way; None: as long as it takes.
    """

    def __init__(
        self, name: str, work: Callable[[], None], *, every: float, at_once: bool = True, patience: float | None
    ) -> None:
        self._work = work
        self._every = every
        self._at_once = at_once
        self._patience = patience
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether the work should come to its end."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Do it no more, and wait for a work that is under way, as long as the patience lasts."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._patience)

    def _run(self) -> None:
        if self._at_once:
            self._work()
        while not self._stopping.wait(self._every):
            self._work()
