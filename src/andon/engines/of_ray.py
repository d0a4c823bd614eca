"""Tasks on a Ray cluster. Each takes one core, whatever its worker's host has, and is done again if its worker dies."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from andon import ray_cluster, ray_hosts
from andon.errors import AndonError, ConfigError
from andon.ray_cluster import first_line
from andon.resources import OPENMP, THREADS

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")

LOG = logging.getLogger("andon")
TRIES_AGAIN = 5  # of a task whose worker or host died
AHEAD = 2  # tasks for each slot that are handed out; results wait in the cluster, not here
ONE_CORE = {THREADS: "1", OPENMP: "1", "CUDA_VISIBLE_DEVICES": ""}


class _Result(NamedTuple):
    value: Any
    said: list[tuple[int, str]]


class RayEngine:
    """See `Engine`. It is connected."""

    name = "ray"

    @cached_property
    def slots(self) -> int:
        """The cores of all hosts, as they are now."""
        return max(1, int(sum(host.cpus for host in ray_hosts.hosts())))

    def map(self, task: Callable[[T, S], R], items: Sequence[T], settled: S, memory: int = 0) -> Iterator[R]:
        """See `Engine.map`."""
        import ray
        from ray import exceptions

        _require_memory(memory)
        remote = ray.remote(_run).options(
            num_cpus=1, memory=memory or None, max_retries=TRIES_AGAIN, runtime_env={"env_vars": ONE_CORE}
        )
        shared, waiting = ray.put(settled), iter(items)
        running: deque[Any] = deque()
        try:
            for item in waiting:
                running.append(remote.remote(task, item, shared))
                if len(running) >= AHEAD * self.slots:
                    yield _told(ray.get(running.popleft()))
            while running:
                yield _told(ray.get(running.popleft()))
        except exceptions.RayTaskError as error:
            if isinstance(error.cause, AndonError):
                raise error.cause from None
            if isinstance(error.cause, exceptions.RaySystemError):
                raise AndonError(
                    f"A worker of the Ray cluster cannot compute ({_last_line(error.cause)}); install Andon, with the "
                    "same extras and versions, on all of its hosts."
                ) from error
            raise
        except exceptions.RayError as error:
            raise AndonError(
                f"Workers of the Ray cluster died {TRIES_AGAIN + 1} times over one task ({first_line(error)}); where "
                "they ran out of memory, make --shard smaller."
            ) from error
        finally:
            for left in running:
                ray.cancel(left, force=True)


@contextmanager
def ray_engine(address: str | None) -> Iterator[RayEngine]:
    """The engine of the cluster at an address, or of one that is started on this machine.

    Raises:
        InputError: see `ray_cluster.connect`.
    """
    with ray_cluster.connect(address), ray_hosts.watched(1, None, LOG.warning):
        yield RayEngine()


def _run(task: Callable[[Any, Any], Any], item: Any, settled: Any) -> _Result:
    """In a worker: the result, and what was said of the user's photos meanwhile."""
    said = _Said()
    LOG.addHandler(said)
    try:
        return _Result(task(item, settled), said.messages)
    finally:
        LOG.removeHandler(said)


class _Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append((record.levelno, record.getMessage()))


def _told(result: _Result) -> Any:
    for level, message in result.said:
        LOG.log(level, message)
    return result.value


def _require_memory(memory: int) -> None:
    """A task that no host can ever take would wait forever."""
    most = max((host.memory for host in ray_hosts.hosts()), default=0.0)
    if memory > most:
        raise ConfigError(
            f"A shard needs about {memory / 2**30:.1f} GiB of memory, and the hosts of the Ray cluster offer "
            f"{most / 2**30:.1f} GiB at most; make --shard smaller."
        )


def _last_line(error: Exception) -> str:
    return str(error).strip().rpartition("\n")[2].rstrip(".")
