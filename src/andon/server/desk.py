"""One desk per model: photos wait in a bounded queue, and are judged in batches of those that are ready, or dropped.

The way of a photo: `submit` -> prepared in the pool -> scored in the desk's thread, together with those that are ready
at that moment -> judged in the pool -> handed to the ledger, which writes it and gives the answer out. A photo whose
deadline has passed goes no further than the stage it is in. Once the ledger has begun to write it, its answer is waited
for, so that nobody is told "dropped" of a photo that is in the database.

Each photo carries the pipeline that was in use when it came. So a new version is used from the next photo on, and what
is under way is finished with the old one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

from andon.errors import AndonError, ImageError
from andon.line.measures import looked_at, measures_of
from andon.line.pipeline import PhotoFile, Pipeline, Prepared, Scored
from andon.rows import Cells
from andon.store import Added, WatchedFile
from andon.types import Failure, Inspection

T = TypeVar("T")
SMOOTHING = 0.1


class BusyError(AndonError):
    """There is no room for another photo; `retry_after` says in how many seconds there may be."""

    def __init__(self, why: str, retry_after: int) -> None:
        super().__init__(f"{why}; send this one again in {retry_after} s.")
        self.retry_after = retry_after


class TooLateError(AndonError):
    """The deadline passed before the photo was judged."""


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A photo that came in.

    Attributes:
        data: the bytes of its file.
        name: the `path` of its row.
        watched: the file of a watched folder that it is.
    """

    data: bytes = field(repr=False)
    name: str
    part_id: str | None = None
    station: str = ""
    watched: WatchedFile | None = None


@dataclass(frozen=True)
class Answer:
    """A row, and what the store made of it: it is there for good."""

    row: Cells
    added: Added


@dataclass(eq=False)
class Job:
    """A photo on its way.

    Attributes:
        deadline: of `time.monotonic`.
        answer: is given out by the ledger.
        measures: see `line.measures`.
    """

    incoming: Incoming
    pipeline: Pipeline
    deadline: float
    answer: Future[Answer] = field(default_factory=Future)
    measures: dict[str, float] = field(default_factory=dict)

    def is_wanted(self) -> bool:
        """Whether anybody still waits for it; nobody does when its deadline has passed."""
        if time.monotonic() > self.deadline:
            self.answer.cancel()
        return not self.answer.cancelled()


Leave = Callable[[Job], None]
Record = Callable[[Job, Inspection | Failure, Leave], None]
"""Takes over a job that was judged, and calls what it is given when it is done with."""


class Desk:
    """Judges photos by one model.

    Args:
        name: of the model, whatever its version.
        pipeline: the version to begin with.
        pool: threads that prepare and judge.
        record: is called in the pool.
        places: how many photos may be under way.
    """

    def __init__(self, name: str, pipeline: Pipeline, pool: Executor, record: Record, places: int) -> None:
        self.name = name
        self.pipeline = pipeline  # one assignment swaps it
        self._pool = pool
        self._record = record
        self._places = places
        self._waiting = 0
        self._count = Lock()
        self._seconds_each = 0.1
        self._prepared: SimpleQueue[tuple[Job, Prepared] | None] = SimpleQueue()
        self._thread = Thread(target=self._score_what_is_ready, name=f"andon-desk-{name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many photos are under way."""
        return self._waiting

    def check_room(self) -> None:
        """Raises:
        BusyError: there is no place free.
        """
        if self._waiting >= self._places:
            seconds = math.ceil(self._waiting * self._seconds_each)
            raise BusyError(f"{self.name} has {self._waiting} photos to judge already", seconds)

    def submit(self, incoming: Incoming, deadline: float) -> Job:
        """Take a photo.

        Raises:
            BusyError: there is no place free.
        """
        with self._count:
            self.check_room()
            self._waiting += 1
        job = Job(incoming, self.pipeline, deadline)
        self._run(self._prepare, job)
        return job

    def leave(self, job: Job) -> None:
        """The job is done with, one way or the other, and its place is free."""
        with self._count:
            self._waiting -= 1

    def close(self) -> None:
        """Judge no more. Nothing may be under way."""
        self._prepared.put(None)
        self._thread.join()

    def _prepare(self, job: Job) -> None:
        incoming = job.incoming
        try:
            photo = PhotoFile(incoming.data, incoming.name)
            prepared = looked_at(job.pipeline.prepare(photo, incoming.part_id, keep_image=True))
        except ImageError as error:
            failure = Failure(incoming.name, str(error), incoming.part_id, job.pipeline.model_id)
            self._record(job, failure, self.leave)
            return
        job.measures = measures_of(prepared)
        self._prepared.put((job, prepared))

    def _score_what_is_ready(self) -> None:
        while batch := take(self._prepared, self._at_once()):
            # the photos of a batch must be of one size, and one version must judge them
            batch.sort(key=_kind)
            for _, group in groupby(batch, key=_kind):
                self._score(list(group))

    def _at_once(self) -> int:
        """How many photos to score together: so few that as many are prepared and judged meanwhile."""
        return max(1, min(self.pipeline.scorer.batch_size, self._waiting // 2))

    def _score(self, batch: list[tuple[Job, Prepared]]) -> None:
        started = time.monotonic()
        wanted = [(job, prepared) for job, prepared in batch if self._is_wanted(job)]
        if not wanted:
            return
        try:
            results = wanted[0][0].pipeline.score([prepared for _, prepared in wanted])
        except Exception as error:  # whoever waits is told, and the desk goes on
            for job, _ in wanted:
                self._fail(job, error)
            return
        each = (time.monotonic() - started) / len(wanted)
        self._seconds_each += SMOOTHING * (each - self._seconds_each)
        for (job, _), result in zip(wanted, results, strict=True):
            self._run(self._judge, job, result)

    def _judge(self, job: Job, result: Scored | Failure) -> None:
        judged = result if isinstance(result, Failure) else job.pipeline.judge(result, with_map=False)
        self._record(job, judged, self.leave)

    def _run(self, stage: Callable[..., None], job: Job, *rest: object) -> None:
        """Do this with the job in the pool, if it is still wanted then."""

        def run() -> None:
            if not self._is_wanted(job):
                return
            try:
                stage(job, *rest)
            except Exception as error:
                self._fail(job, error)

        self._pool.submit(run)

    def _is_wanted(self, job: Job) -> bool:
        if job.is_wanted():
            return True
        self.leave(job)
        return False

    def _fail(self, job: Job, error: Exception) -> None:
        if job.answer.set_running_or_notify_cancel():
            job.answer.set_exception(error)
        self.leave(job)


def take(queue: SimpleQueue[T | None], most: int) -> list[T]:
    """What is in the queue, at most so many. It waits for the first; once None comes out, nothing more does."""
    taken: list[T] = []
    while len(taken) < most:
        try:
            item = queue.get(block=not taken)
        except Empty:
            break
        if item is None:
            queue.put(None)  # to be found again
            break
        taken.append(item)
    return taken


def _kind(work: tuple[Job, Prepared]) -> tuple[int, tuple[int, int]]:
    job, prepared = work
    return id(job.pipeline), prepared.frame.size
