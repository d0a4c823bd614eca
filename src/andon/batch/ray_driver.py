"""Drives Ray for `ray_engine`, in a process of its own: `main`, with a job on standard input.

Ray moves numbers of shards and counts, never photos. What becomes of each shard is a line of JSON on standard output.
The end of standard input ends it: whoever started it holds that open.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

import fsspec

from andon import ray_hosts
from andon.batch.engine import Outcome
from andon.batch.manifest import FILE, read_manifest
from andon.batch.place import Place
from andon.batch.process import end_above
from andon.errors import AndonError
from andon.ray_cluster import connect, first_line
from andon.resources import use_cores

Say = Callable[[dict[str, Any]], None]
SHARDS_AT_ONCE = 10_000  # that Ray is told of, as each costs it a millisecond before any of them begins
DEATHS = 10  # of the worker over one shard, as often as it is tried again
SECONDS_TO_END = 10
EXIT_BROKEN = 1


class Actor:
    """A worker of the cluster. All that it needs stands in each row, as an actor that is started again gets no more."""

    def __init__(self) -> None:
        self._is_limited = False

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do the shards of a batch of Ray's; its outcomes as JSON."""
        return {"outcome": [json.dumps(self._do(**json.loads(job))) for job in batch["job"]]}

    def _do(self, out: str, shard: int, cores: int, memory: int) -> dict[str, Any]:
        if not self._is_limited:  # before anything that computes is imported
            use_cores(cores)
            end_above(memory)
            self._is_limited = True
        from andon.batch.shard import inspect_shard

        try:
            outcome = Outcome(shard, inspect_shard(out, shard))
        except Exception as error:  # of a share that is away, or a bug
            outcome = Outcome.of_error(shard, error)
        return outcome._asdict() | {"part": outcome.part and asdict(outcome.part)}


def drive(job: dict[str, Any], say: Say) -> None:
    """Do the job, and say what becomes of each shard.

    Raises:
        InputError: the cluster cannot be used.
        ray.exceptions.RayError: it broke down.
    """
    with connect(job["address"]):
        room = ray_hosts.workers(job["cores"], job["memory"])
        ray_hosts.check("andon.batch.shard", "ray", _needed(job["out"], job["shards"][0]))
        with ray_hosts.watched(job["cores"], job["memory"], lambda warning: say({"warning": warning})):
            for start in range(0, len(job["shards"]), SHARDS_AT_ONCE):
                shards = job["shards"][start : start + SHARDS_AT_ONCE]
                for outcome in _mapped(job, shards, room):
                    say(outcome)


def _needed(out: str, shard: int) -> list[str]:
    """What every computer must see: the batch, and a photo of the shard that this one sees."""
    place = Place.at(out)
    manifest = read_manifest(place)
    assert manifest is not None
    photos = (photo.path for photo in manifest.read_shard(place, shard))
    return [f"{place.url}/{FILE}", *islice(filter(_is_there, photos), 1)]


def _is_there(path: str) -> bool:
    try:
        fs, root = fsspec.url_to_fs(path)
        return bool(fs.exists(root))
    except Exception:  # each file system has errors of its own; inspecting says so
        return False


def _mapped(job: dict[str, Any], shards: list[int], room: int) -> Iterator[dict[str, Any]]:
    """The outcomes, as they come. A shard whose worker died is tried again by another.

    Args:
        room: for how many workers there is room now.
    """
    import ray

    workers = min(job["workers"] or room, len(shards))
    may_grow = job["address"] is not None and not job["workers"]  # wherever there is room later

    rows = [json.dumps({"out": job["out"], "shard": s, "cores": job["cores"], "memory": job["memory"]}) for s in shards]
    outcomes = ray.data.from_items([{"job": row} for row in rows], override_num_blocks=len(rows)).map_batches(
        Actor,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=workers, max_size=len(shards) if may_grow else workers),
        num_cpus=job["cores"],
        memory=job["memory"],
        max_restarts=-1,
        max_task_retries=DEATHS,
    )
    for row in outcomes.iter_rows():
        yield json.loads(row["outcome"])


def _why(error: Exception, memory: int) -> str:
    """What broke down, without a full stop."""
    from ray.exceptions import RayActorError

    if isinstance(error, RayActorError):
        return (
            f"a worker ended {DEATHS + 1} times over one shard, and may hold {memory / 1e9:.1f} GB: give more with "
            "--memory, or find out what else ended it"
        )
    return first_line(error) or repr(error)


def _end_with_input() -> None:
    """End this process as soon as its standard input ends."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)  # at which Ray is shut down
        time.sleep(SECONDS_TO_END)
        os._exit(EXIT_BROKEN)

    threading.Thread(target=wait, name="andon-end", daemon=True).start()


def main() -> None:
    """Read the job, do it, and say how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    job = json.loads(sys.stdin.readline())
    _end_with_input()
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)  # Ray writes there, too
        lock = threading.Lock()

        def say(message: dict[str, Any]) -> None:
            with lock:
                answers.write(json.dumps(message) + "\n")

        try:
            drive(job, say)
        except AndonError as error:
            say({"error": str(error)})
        except Exception as error:
            say({"broken": _why(error, job["memory"])})
            raise
