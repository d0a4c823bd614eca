"""Long work beside judging: one at a time, in a thread of its own that gives way to those that judge."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread, get_native_id

from andon import extras
from andon.errors import AndonError, InputError

LOG = logging.getLogger("andon")
GIVES_WAY = 15
"""What the system calls niceness: 0 is usual, 19 the most."""
SECONDS_TO_END = 20


class EndedError(Exception):
    """The station ends, and nobody waits for the work any more."""


@dataclass(eq=False)
class Task:
    """A work that runs, or has run.

    Attributes:
        kind: of work.
        model: the name of the model that it is about.
        by: who wanted it.
        progress: how far it is, in words.
        result: what came of it; None while it runs, and where nothing did.
        wrong: why nothing came of it, in one sentence.
    """

    kind: str
    model: str
    by: str
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    progress: str = ""
    result: object = None
    wrong: str = ""
    is_running: bool = True
    _ended: Event = field(default_factory=Event)

    def tell(self, progress: str) -> None:
        """Say how far the work is. The work calls it often, as it ends here when the station does.

        Raises:
            EndedError: the station ends.
        """
        self.progress = progress
        self.check()

    def check(self) -> None:
        """Raises:
        EndedError: the station ends.
        """
        if self._ended.is_set():
            raise EndedError

    def wait(self, seconds: float) -> None:
        """Rest, but no longer than the station lasts.

        Raises:
            EndedError: the station ends.
        """
        self._ended.wait(seconds)
        self.check()


class Background:
    """Does long work, and remembers what came of the last one of each kind and model. Any thread may ask."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, str], Task] = {}
        self._running: Task | None = None
        self._thread: Thread | None = None
        self._starting = Lock()

    @property
    def running(self) -> Task | None:
        """The work that runs now."""
        return self._running

    def last(self, kind: str, model: str) -> Task | None:
        """The last work of this kind on this model, whether it still runs or not."""
        return self._tasks.get((kind, model))

    def start(self, task: Task, work: Callable[[Task], object]) -> None:
        """Begin; what `work` returns is the task's result.

        Raises:
            InputError: something else is still running.
        """
        with self._starting:
            if self._running is not None:
                raise InputError(
                    "Something else is still running; wait until it is done, as only one thing runs at a time."
                )
            self._running = self._tasks[task.kind, task.model] = task
        self._thread = Thread(target=self._run, args=(task, work), name=f"andon-{task.kind}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let what runs end at its next step, and wait for that."""
        if self._running is not None and self._thread is not None:
            self._running._ended.set()
            self._thread.join(SECONDS_TO_END)

    def _run(self, task: Task, work: Callable[[Task], object]) -> None:
        give_way()
        try:
            task.result = work(task)
        except EndedError:
            task.wrong = "The station ended."
        except AndonError as error:
            task.wrong = str(error)
        except Exception as error:  # whoever waits is told, and the station goes on
            missing = extras.missing(error) if isinstance(error, ModuleNotFoundError) else None
            task.wrong = str(missing or f"This went wrong by a bug in Andon: {error!r}")
            LOG.exception(f"{task.kind} of {task.model} went wrong")
        finally:
            task.is_running = False
            self._running = None


def give_way() -> None:
    """Let this thread, and those that it starts, compute only when no other one wants to; on Linux, where it can."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), GIVES_WAY)
