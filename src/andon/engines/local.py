"""Tasks in this process, one after the other; each takes all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from andon import progress, resources
from andon.errors import ConfigError

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")


class LocalEngine:
    """See `Engine`."""

    name = "local"
    slots = 1

    def map(self, task: Callable[[T, S], R], items: Sequence[T], settled: S, memory: int = 0) -> Iterator[R]:
        """See `Engine.map`."""
        if items and memory > (free := resources.available_memory()):
            raise ConfigError(
                f"A shard needs about {memory / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} GiB are free; make "
                "--shard smaller."
            )
        for item in items:
            with progress.untold():  # its own steps; the whole counts tasks
                result = task(item, settled)
            yield result


@contextmanager
def local_engine() -> Iterator[LocalEngine]:
    """The engine; nothing begins or ends with it."""
    yield LocalEngine()
