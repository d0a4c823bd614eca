"""What computes tasks that need nothing of one another: this process, or a Ray cluster.

A task is a plain function of an item and of what is settled for all items; it gives a small result, and the same one
wherever it runs. So a task whose worker died is simply done again, and every engine gives the same model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")

NAMES = ("local", "ray")


class Engine(Protocol):
    """Attributes:
    slots: how many tasks run side by side.
    name: for people.
    """

    name: str

    @property
    def slots(self) -> int: ...

    def map(self, task: Callable[[T, S], R], items: Sequence[T], settled: S, memory: int = 0) -> Iterator[R]:
        """task(item, settled) of each item, in their order.

        Args:
            task: a function that can be found by its name.
            memory: bytes that a task may take.

        Raises:
            AndonError: a task raised it, no worker has the memory, or workers died again and again.
        """


def opened(name: str, address: str | None = None) -> AbstractContextManager[Engine]:
    """The engine of that name, which ends with the block.

    Args:
        name: one of `NAMES`.
        address: of a Ray cluster, see `ray_cluster.connect`.

    Raises:
        ConfigError: there is no such engine, or an address was given to one that has none.
        InputError: no cluster answers.
    """
    from andon.errors import ConfigError

    if name not in NAMES:
        raise ConfigError(f"There is no engine {name!r}; choose one of {', '.join(NAMES)}.")
    if name == "ray":
        from andon.engines.of_ray import ray_engine

        return ray_engine(address)
    if address is not None:
        raise ConfigError("The engine local computes in this process and has no address; add --engine ray.")
    from andon.engines.local import local_engine

    return local_engine()
