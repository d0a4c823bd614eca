"""The stages of a training in shards: how far each is, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from andon import progress
from andon.engines import Engine
from andon.work import Phase, Work

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")

COMPARING = "Comparing photos"
SETTLING = "Settling steps"
SURVEYING = "Surveying photos"
CHOOSING = "Choosing coresets"
MERGING = "Merging coresets"
SCORING = "Scoring photos"
EACH = {COMPARING: 0.008, SETTLING: 0.008, SURVEYING: 0.05, CHOOSING: 0.15, MERGING: 0.0003, SCORING: 0.12}
"""Seconds of one core for a photo, or for a patch that is merged; the first tasks correct them."""


class Stages:
    """Hands tasks to an engine, stage by stage."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seconds: dict[str, float] = {}

    @contextmanager
    def counted(self) -> Iterator[None]:
        """All stages within the block are one work. Its pace is the engine's and not this process's."""
        with progress.whole(work=Work(cpu=time.monotonic)):
            yield

    def expect(self, items: Mapping[str, int]) -> None:
        """How many photos, or patches, the stages will look at."""
        progress.expect(Phase(stage, n, EACH[stage] / self._engine.slots, "task") for stage, n in items.items())

    def finish(self, stage: str) -> None:
        """Nothing more of this stage will come."""
        progress.finish(stage)

    def map(
        self,
        stage: str,
        task: Callable[[T, S], R],
        items: Sequence[T],
        settled: S,
        *,
        photos: Callable[[T], int] = len,  # type: ignore[assignment]
        memory: int = 0,
    ) -> Iterator[R]:
        """task(item, settled) of each item, in order.

        Args:
            photos: how many an item has.
            memory: bytes that a task may take.
        """
        total, done, began = sum(map(photos, items)), 0, time.monotonic()
        with progress.measured(stage, part=total) as tell:
            for number, result in enumerate(self._engine.map(task, items, settled, memory)):
                done += photos(items[number])
                self._add(stage, began)
                what = "patches" if stage == MERGING else "photos"
                tell(done / max(total, 1), f"{done:,} of {total:,} {what}, {number + 1} of {len(items)} tasks")
                yield result
                began = time.monotonic()

    def one(self, stage: str, task: Callable[[T, S], R], item: T, settled: S, *, photos: int, memory: int = 0) -> R:
        """task(item, settled)."""
        (result,) = self.map(stage, task, [item], settled, photos=lambda _: photos, memory=memory)
        return result

    def in_words(self) -> str:
        """How long each stage took."""
        return ", ".join(f"{stage.lower()} {seconds:.1f} s" for stage, seconds in self._seconds.items())

    def _add(self, stage: str, began: float) -> None:
        self._seconds[stage] = self._seconds.get(stage, 0.0) + time.monotonic() - began
