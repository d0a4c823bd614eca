"""Train several methods with the same photos, let them judge the same photos, and keep what each of them said.

Every method is trained and judges in processes of its own (`_trial`), so that a crash stops nobody else and its memory
can be measured. What is finished is kept in the folder and used again if photos, recipe and versions are the same.
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from andon.comparison._figures import disagreements, figures_of
from andon.comparison._job import JOB, JUDGED, MODEL, PIXELS, TAUGHT, Json, digests_of, job_of
from andon.comparison._outcomes import Comparison, Method, Outcome, Trial, collect
from andon.comparison._plan import Plan, Round, plan
from andon.comparison._process import run
from andon.errors import InputError
from andon.evaluation import describe_metrics
from andon.files import write_whole
from andon.types import Precision

__all__ = ["Comparison", "Method", "Outcome", "Plan", "Round", "compare", "disagreements", "figures_of", "plan"]

LOG = logging.getLogger("andon")
REUSED_WITHIN = 1.0  # seconds


def compare(todo: Plan, methods: Sequence[Method], folder: Path, *, precision: Precision = "auto") -> Comparison:
    """Run every method that `folder` does not hold yet.

    A method that fails is named in the result, and the others go on.

    Raises:
        ConfigError: a metric of another package cannot be used.
        InputError: the folder cannot be written.
    """
    describe_metrics()  # one that cannot be used is told of before the work, not after it
    digests = digests_of(todo)
    clock = _Clock(len(methods) * len(todo.rounds))
    trials: dict[str, list[Trial]] = {}
    failed: dict[str, str] = {}
    for method in methods:
        done: list[Trial] = []
        for number, one in enumerate(todo.rounds, start=1):
            clock.tell(method.name, number, len(todo.rounds))
            place = folder / "methods" / _file_name(method.name) / str(number)
            outcome = _attempt(place, job_of(method.recipe, todo, one, digests, precision))
            if isinstance(outcome, str):
                failed[method.name] = outcome
                LOG.warning(f"{method.name} is left out: {outcome}")
                break
            done.append(outcome)
            if len(todo.rounds) > 1:
                (place / MODEL).unlink(missing_ok=True)  # a fold's model is of no further use
        else:
            trials[method.name] = done
    return collect(todo, trials, failed)


def _attempt(folder: Path, job: Json) -> Trial | str:
    """The trial, run unless it was finished before; or the sentence that says why it failed."""
    if _read(folder / JOB) != job:
        _begin(folder, job)
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


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


class _Clock:
    """Says which trial begins, and how long the rest will take, judged by those that were run now."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = 0
        self._started = 0.0
        self._took: list[float] = []

    def tell(self, name: str, number: int, rounds: int) -> None:
        """Call it when a trial begins."""
        now = time.monotonic()
        if self._begun and now - self._started > REUSED_WITHIN:
            self._took.append(now - self._started)
        remaining = self._total - self._begun
        left = f", about {statistics.mean(self._took) * remaining:.0f} s left" if self._took else ""
        fold = f", fold {number} of {rounds}" if rounds > 1 else ""
        self._begun, self._started = self._begun + 1, now
        LOG.info(f"[{self._begun} of {self._total}] {name}{fold}{left}")
