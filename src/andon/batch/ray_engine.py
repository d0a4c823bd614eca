"""The engine `ray`: workers on the computers of a Ray cluster.

Ray is driven by a process of its own (`ray_driver`), so that what Ray writes does not stand between Andon's lines. A
cluster that breaks down ends the process that drives it, but no batch.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from andon.batch.engine import Outcome, Outcomes, Settings
from andon.batch.part import PartInfo
from andon.errors import InputError

LOG = logging.getLogger("andon")
DRIVE = "from andon.batch.ray_driver import main; main()"
SECONDS_TO_END = 20


def run(out: str, shards: Sequence[int], settings: Settings, tell: Callable[[int], None]) -> Outcomes:
    """See `engine.Engine`. Shards that were lost with a cluster are left out, as long as others were done."""
    if find_spec("ray") is None:
        raise ModuleNotFoundError("No module named 'ray'", name="ray")
    photos = came = 0
    why = "its head may be gone"
    with _driver({"out": out, "shards": list(shards), **asdict(settings)}) as process:
        for message in _messages(process):
            if "warning" in message:
                LOG.warning(message["warning"])
            elif "broken" in message:
                why = message["broken"]
            elif "error" in message:
                raise InputError(message["error"])
            else:
                part = message["part"] and PartInfo(**message["part"])
                came, photos = came + 1, photos + (part.total if part else 0)
                tell(photos)
                yield Outcome(**message | {"part": part})
        if process.wait() and not came:
            raise InputError(_broken_down(settings, why))
        if came < len(shards):
            LOG.warning("Ray ended before all shards were done; the rest is begun again.")


@contextmanager
def _driver(job: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """The process; it ends with the block."""
    command = [sys.executable, "-c", DRIVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
            yield process
        finally:
            with suppress(OSError):
                process.stdin.close()  # which ends it
            with suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_TO_END)
            process.kill()


def _messages(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """What the driver says, a line each."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith(b"\n"):  # else it was killed within
            yield json.loads(line)


def _broken_down(settings: Settings, why: str) -> str:
    where = "on this computer" if settings.address is None else f"at {settings.address}"
    return f"Ray {where} broke down before a shard was done ({why}); fix the cause, and give the same command again."
