"""Train several methods with the same photos, let them judge the same photos, and keep what each of them said.

Every method is trained and judges in processes of its own (`_trial`), so that a crash stops nobody else and its memory
can be measured. What is finished is kept in the folder and used again if photos, recipe and versions are the same.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from andon.comparison._attempt import Engine, Task, one_by_one
from andon.comparison._figures import disagreements, figures_of
from andon.comparison._job import MODEL, digests_of, job_of
from andon.comparison._on_ray import OnRay
from andon.comparison._outcomes import Comparison, Method, Outcome, Trial, collect
from andon.comparison._plan import Plan, Round, plan
from andon.evaluation import describe_metrics
from andon.types import Precision

__all__ = [
    "Comparison",
    "Method",
    "OnRay",
    "Outcome",
    "Plan",
    "Round",
    "compare",
    "disagreements",
    "figures_of",
    "plan",
]

LOG = logging.getLogger("andon")
REUSED_WITHIN = 1.0  # seconds


def compare(
    todo: Plan,
    methods: Sequence[Method],
    folder: Path,
    *,
    precision: Precision = "auto",
    engine: Engine | None = None,
) -> Comparison:
    """Run every method that `folder` does not hold yet.

    A method that fails is named in the result, and the others go on.

    Args:
        engine: what runs the trials; without it, they run one by one on this computer.

    Raises:
        ConfigError: a metric of another package cannot be used.
        InputError: the folder cannot be written, or the engine cannot work.
    """
    describe_metrics()  # one that cannot be used is told of before the work, not after it
    tasks = list(_tasks(todo, methods, folder, precision))
    trials: dict[str, dict[int, Trial]] = {method.name: {} for method in methods}
    failed: dict[str, str] = {}
    with closing((engine or one_by_one)(tasks, _Clock(len(tasks)).tell)) as outcomes:
        for task, found in outcomes:
            if not isinstance(found, str):
                trials[task.method][task.fold] = found
                if task.folds > 1:
                    (task.folder / MODEL).unlink(missing_ok=True)  # a fold's model is of no further use
            elif task.method not in failed:
                failed[task.method] = found
                LOG.warning(f"{task.method} is left out: {found}")
    whole = {name: [of[fold] for fold in sorted(of)] for name, of in trials.items() if name not in failed}
    return collect(todo, whole, failed)


def _tasks(todo: Plan, methods: Sequence[Method], folder: Path, precision: Precision) -> Iterator[Task]:
    digests = digests_of(todo)
    for method in methods:
        for fold, one in enumerate(todo.rounds, start=1):
            place = folder / "methods" / _file_name(method.name) / str(fold)
            job = job_of(method.recipe, todo, one, digests, precision)
            yield Task(method.name, fold, len(todo.rounds), place, job)


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


class _Clock:
    """Says how far the comparison is, and how long the rest will take, judged by the trials that were run now."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._told = 0
        self._last: float | None = None
        self._took: list[float] = []

    def tell(self, words: str, to_do: int) -> None:
        """Call it when a trial begins, or when one is done; `to_do` are not done."""
        now = time.monotonic()
        if self._last is not None and now - self._last > REUSED_WITHIN:
            self._took.append(now - self._last)
        left = f", about {statistics.mean(self._took) * to_do:.0f} s left" if self._took and to_do else ""
        self._last = now
        self._told += 1
        LOG.info(f"[{self._told} of {self._total}] {words}{left}")
