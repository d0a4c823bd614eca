"""The engine `ray`: actors of a Ray cluster, fed by Ray Data. Ray moves shard numbers and counts, never photos."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from andon.batch.engine import Outcome, Outcomes, Settings
from andon.batch.part import Done
from andon.batch.process import end_above, use_cores
from andon.ray_cluster import connect


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
        from andon.batch import shard as job

        try:
            done = job.run(out, shard)
        except Exception as error:  # told, and the shard is tried again
            return {"shard": shard, "done": None, "why": str(error) or repr(error)}
        return {"shard": shard, "done": done and asdict(done), "why": ""}


def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
    """See `engine.Engine`."""
    with connect(settings.address):
        import ray

        _be_quiet()
        job = {"out": out, "cores": settings.cores, "memory": settings.memory}
        jobs = ray.data.from_items(
            [{"job": json.dumps(job | {"shard": shard})} for shard in shards], override_num_blocks=len(shards)
        )
        outcomes = jobs.map_batches(
            Actor,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(settings.workers or _workers(settings), len(shards))),
            num_cpus=settings.cores,
            memory=settings.memory,
        )
        photos = 0
        for row in outcomes.iter_rows():
            outcome = json.loads(row["outcome"])
            done = outcome["done"] and Done(**outcome["done"])
            photos += done.total if done else 0
            tell(photos)
            yield Outcome(outcome["shard"], done, outcome["why"])


def _be_quiet() -> None:
    """Ray Data tells of itself on standard output; Andon tells how far the batch is."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _workers(settings: Settings) -> int:
    """As many as the cluster has cores and memory for."""
    import ray

    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(min(found.get("CPU", 1) // settings.cores, found.get("memory", 0) // settings.memory)))
