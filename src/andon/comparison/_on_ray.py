"""Trials side by side on a Ray cluster.

A trial works in a folder of the computer that runs it, and what it leaves is copied into the comparison's folder when
it is whole: a computer that was thought lost cannot disturb the one that tries again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from andon import ray_hosts
from andon.comparison._attempt import Outcome, Outcomes, Task, Tell, attempt, is_finished
from andon.comparison._job import JOB, MODEL
from andon.comparison._outcomes import Trial
from andon.files import write_whole
from andon.ray_cluster import connect
from andon.resources import use_cores

LOG = logging.getLogger("andon")
TRIES = 3


@dataclass(frozen=True)
class OnRay:
    """The engine of a cluster, see `_attempt.Engine`.

    Args:
        address: of the cluster; None for one of this computer's cores.
        cores: of each trial.
    """

    address: str | None
    cores: int

    def __call__(self, tasks: Sequence[Task], tell: Tell) -> Outcomes:
        """Those that were finished before come first.

        Raises:
            InputError: the cluster cannot be used, or one of its computers.
        """
        to_do = [task for task in tasks if not is_finished(task)]
        for number, task in enumerate(task for task in tasks if task not in to_do):
            tell(task.words, len(tasks) - number)
            yield Outcome(task, attempt(task))
        if to_do:
            with connect(self.address), ray_hosts.watched(self.cores, None, LOG.warning):
                yield from self._run(to_do, tell)

    def _run(self, tasks: Sequence[Task], tell: Tell) -> Outcomes:
        import ray

        ray_hosts.workers(self.cores)
        ray_hosts.check("andon.comparison", "train,ray", _needed(tasks))
        remote = ray.remote(num_cpus=self.cores, max_retries=TRIES)(run_apart)
        waiting = {remote.remote(task, self.cores, Path.cwd()): task for task in tasks}
        while waiting:
            (done, *_), _ = ray.wait(list(waiting))
            task = waiting.pop(done)
            try:
                found = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                found = f"It could not be run ({error.cause})."
            except ray.exceptions.RayError:
                found = f"The computer that ran it was lost, {TRIES + 1} times."
            tell(f"{task.words} is done", len(waiting))
            yield Outcome(task, found)


def run_apart(task: Task, cores: int, begins: Path) -> Trial | str:
    """Run the trial on this computer with so many cores, and copy what it leaves into its folder.

    Args:
        begins: the folder that relative paths begin in.
    """
    with suppress(FileNotFoundError):
        os.chdir(begins)
    use_cores(cores)
    with TemporaryDirectory(prefix="andon-trial-") as folder:
        found = attempt(task._replace(folder=Path(folder)))
        _copy(Path(folder), task)
    if isinstance(found, str):
        return found.replace(folder, str(task.folder))
    return Trial(task.folder, found.taught, found.judged)


def _copy(folder: Path, task: Task) -> None:
    """All that was left; job.json, without which a trial is not finished, goes first and comes last."""
    task.folder.mkdir(parents=True, exist_ok=True)
    (task.folder / JOB).unlink(missing_ok=True)
    for file in sorted(folder.iterdir(), key=lambda file: file.name == JOB):
        if file.name != MODEL or task.folds == 1:  # a fold's model is of no further use
            write_whole(task.folder / file.name, file.read_bytes())


def _needed(tasks: Sequence[Task]) -> list[str]:
    """What every computer must see: a photo, the comparison's folder, and the weights."""
    weights = {task.job["recipe"]["backbone"].get("weights") for task in tasks} - {None}
    folder = tasks[0].folder
    folder.mkdir(parents=True, exist_ok=True)
    return [str(Path(path).absolute()) for path in (tasks[0].job["teach"][0]["path"], folder, *sorted(weights))]
