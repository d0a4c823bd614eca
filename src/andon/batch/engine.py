"""What runs the shards of a batch. An engine may lose some or do some twice: the batch counts, and asks again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from andon.batch.part import PartInfo
from andon.errors import AndonError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the workers get.

    Attributes:
        workers: processes that inspect; None for as many as there are cores and memory for.
        cores: of each worker.
        memory: bytes that each worker may hold; one that holds more ends, and its shard is begun again.
        address: of the cluster, for an engine that has one.
    """

    workers: int | None
    cores: int
    memory: int
    address: str | None = None


class Outcome(NamedTuple):
    """Of one shard: what its part says; or why it was not done, "" where somebody else works on it.

    Attributes:
        is_final: whether it is of no use to try again.
    """

    shard: int
    part: PartInfo | None
    why: str = ""
    is_final: bool = False

    @classmethod
    def of_error(cls, shard: int, error: Exception) -> Outcome:
        """What an engine says of an error in a worker. What the user has to mend is final; a store may come back."""
        is_final = isinstance(error, AndonError) and getattr(error, "is_final", True)
        return cls(shard, None, str(error) or repr(error), is_final)


Outcomes = Generator[Outcome, None, None]


class Engine(Protocol):
    """A module of this room."""

    def run(self, out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
        """The outcomes, as they come. Closing the iterator stops the work.

        Args:
            out: path or URL of the batch.
            tell: to be called now and then with the number of photos that were inspected so far.

        Raises:
            InputError: it cannot work.
        """
        ...
