"""Batches for tests: an engine that works in the test's own process, a photo that kills whoever reads it, and rows."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pyarrow import parquet

from andon.batch.engine import Outcome, Outcomes, Settings
from andon.batch.inspecting import Judged
from andon.batch.shard import ShardWorker, judge_photos
from andon.batch.source import Listed

DEADLY = "deadly"


def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
    """An engine without processes. See `engine.Engine`."""
    worker, done = ShardWorker(out), 0
    for shard in shards:
        try:
            outcome = Outcome(shard, worker.run(shard))
        except Exception as error:
            outcome = Outcome.of_error(shard, error)
        done += outcome.part.total if outcome.part else 0
        tell(done)
        yield outcome


def judge_or_die(out: str, photos: Sequence[Listed]) -> list[Judged]:
    """As `shard.judge_photos`, in another process; a photo of that name kills it."""
    if any(DEADLY in photo.path for photo in photos):
        os.kill(os.getpid(), signal.SIGKILL)
    return judge_photos(out, photos)


def rows_of(out: Path) -> list[dict[str, Any]]:
    """All rows, part by part."""
    parts = sorted((out / "parts").glob("*.parquet"))
    return [row for part in parts for row in parquet.read_table(part).to_pylist()]


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file in it, by its name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
