"""The engine `local`: processes on this computer, each with cores of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from threading import Event

from andon import resources
from andon.batch.engine import Outcome, Outcomes, Settings
from andon.batch.process import Apart, DiedError
from andon.batch.shard import inspect_shard
from andon.errors import InputError

DEATHS = 10  # of one worker in a row, without a shard done
SECONDS_BETWEEN_LOOKS = 0.5


def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
    """See `engine.Engine`."""
    todo, outcomes, over = SimpleQueue[int](), SimpleQueue[Outcome | str](), Event()
    for shard in shards:
        todo.put(shard)
    n = min(settings.workers or _workers(settings), len(shards))
    # at the end the workers end first, and so do their threads
    with ThreadPoolExecutor(n, "andon-batch") as pool, ExitStack() as stack:
        workers = [stack.enter_context(Apart(settings.cores, settings.memory)) for _ in range(n)]
        stack.callback(over.set)
        for worker in workers:
            pool.submit(_serve, worker, out, todo, outcomes, over, settings.memory)
        left = len(shards)
        while left:
            tell(sum(worker.counted for worker in workers))
            try:
                outcome = outcomes.get(timeout=SECONDS_BETWEEN_LOOKS)
            except Empty:
                continue
            if isinstance(outcome, str):
                raise InputError(outcome)
            left -= 1
            yield outcome


def _serve(
    worker: Apart,
    out: str,
    todo: SimpleQueue[int],
    outcomes: SimpleQueue[Outcome | str],
    over: Event,
    memory: int,
) -> None:
    """Have a worker inspect shards until none is left, and put what comes of each into `outcomes`.

    A shard whose worker dies is put back. Where it dies again and again, the reason goes into `outcomes`.
    """
    deaths = 0
    while not over.is_set() and deaths < DEATHS:
        try:
            shard = todo.get_nowait()
        except Empty:
            return
        try:
            outcomes.put(Outcome(shard, worker.call(inspect_shard, out, shard)))
            deaths = 0
        except DiedError:
            todo.put(shard)
            deaths += 1
        except Exception as error:  # of a share that is away, or a bug
            outcomes.put(Outcome.of_error(shard, error))
    if deaths == DEATHS:
        outcomes.put(_dying(memory))


def _workers(settings: Settings) -> int:
    """As many as there are cores and memory for."""
    return max(1, min(resources.cpus() // settings.cores, resources.available_memory() // settings.memory))


def _dying(memory: int) -> str:
    return (
        f"A worker ended {DEATHS} times in a row before it had finished a shard. It may hold {memory / 1e9:.1f} GB: "
        "allow more with --memory, start fewer with --workers, or look in the system's log for what else ended it."
    )
