"""A method on one round: run in two processes, unless its folder holds all of it already."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol
from zipfile import BadZipFile

import numpy as np

from andon.comparison._job import JOB, JUDGED, MODEL, PIXELS, TAUGHT, Json
from andon.comparison._outcomes import Trial
from andon.comparison._process import run
from andon.errors import InputError
from andon.files import write_whole

Tell = Callable[[str, int], None]


class Task(NamedTuple):
    """A trial to run: what it is of, where, and its job.json."""

    method: str
    fold: int
    folds: int
    folder: Path
    job: Json

    @property
    def words(self) -> str:
        """For whoever waits."""
        return self.method if self.folds == 1 else f"{self.method}, fold {self.fold} of {self.folds}"


class Outcome(NamedTuple):
    """Of a task: the trial, or the sentence that says why it failed."""

    task: Task
    found: Trial | str


Outcomes = Generator[Outcome, None, None]


class Engine(Protocol):
    """Runs trials."""

    def __call__(self, tasks: Sequence[Task], tell: Tell) -> Outcomes:
        """The outcomes, as they come. What is left of a method that failed may be left out.

        Args:
            tell: to be called with what is done now, or is done, and how many trials are still to be done.
        """
        ...


def one_by_one(tasks: Sequence[Task], tell: Tell) -> Outcomes:
    """The engine of this computer: every trial has all of it, so that its times and its memory mean something."""
    failed = set[str]()
    for number, task in enumerate(tasks):
        if task.method not in failed:
            tell(task.words, len(tasks) - number)
            outcome = Outcome(task, attempt(task))
            if isinstance(outcome.found, str):
                failed.add(task.method)
            yield outcome


def attempt(task: Task) -> Trial | str:
    """The trial, run unless it was finished before; or the sentence that says why it failed."""
    folder = task.folder
    if _read(folder / JOB) != task.job:
        _begin(folder, task.job)
    taught, judged = _read(folder / TAUGHT), _read(folder / JUDGED)
    if not (_is_finished(taught) and _is_finished(judged) and _is_whole(folder / PIXELS)):
        if not _is_finished(taught) or not (folder / MODEL).exists():
            taught = run("teach", folder)
        if "error" in taught:
            return str(taught["error"])
        judged = run("judge", folder)
    if "error" in judged:
        return str(judged["error"])
    photos = judged["photos"].values()
    if all("error" in photo for photo in photos):
        return str(next(iter(photos))["error"])
    return Trial(folder, taught, judged)


def is_finished(task: Task) -> bool:
    """Whether the trial's folder holds all of it, so that there is nothing to run."""
    folder = task.folder
    files = _is_finished(_read(folder / TAUGHT)) and _is_finished(_read(folder / JUDGED))
    return files and _is_whole(folder / PIXELS) and _read(folder / JOB) == task.job


def _is_whole(pixels: Path) -> bool:
    """Whether the file of a finished trial can be read."""
    try:
        with np.load(pixels) as stored:
            return "histograms" in stored and "first" in stored
    except (OSError, ValueError, EOFError, BadZipFile):
        return False


def _is_finished(result: Json) -> bool:
    return "memory_bytes" in result and "error" not in result


def _begin(folder: Path, job: Json) -> None:
    """Make the folder of a trial, forgetting what another job left there."""
    try:
        for name in (TAUGHT, JUDGED, PIXELS):
            (folder / name).unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / JOB, json.dumps(job).encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{folder} cannot be written ({reason}); choose a folder with --out that you may write to."
        ) from None


def _read(path: Path) -> Json:
    """The JSON file; an empty dictionary where there is none or it was cut short."""
    try:
        content: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content
