"""A trial in a process of its own: a crash stays there, and its memory is its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import psutil

from andon.comparison._job import JUDGED, TAUGHT
from andon.files import write_whole

TRIAL = "andon.comparison._trial"  # not imported here, as it is run
SECONDS_BETWEEN_LOOKS = 0.05
FILES = {"teach": TAUGHT, "judge": JUDGED}


def run(what: Literal["teach", "judge"], folder: Path) -> dict[str, Any]:
    """What the trial wrote down, with "memory_bytes", the peak of the process; or its "error"."""
    file = folder / FILES[what]
    file.unlink(missing_ok=True)
    # The trial ends when its standard input does: with this process, however that ends.
    process = subprocess.Popen([sys.executable, "-m", TRIAL, what, str(folder)], stdin=subprocess.PIPE)
    try:
        memory = _peak_memory(process)
    finally:
        process.kill()
        process.communicate()
    if not file.exists():
        return {"error": f"Its process ended with code {process.returncode}{_hint(process.returncode)}."}
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    write_whole(file, json.dumps(result | {"memory_bytes": memory}).encode())
    return result | {"memory_bytes": memory}


def _peak_memory(process: subprocess.Popen[bytes]) -> int:
    """The largest resident memory that was seen until the process ended, in bytes."""
    peak = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.Error):
            peak = max(peak, watched.memory_info().rss)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return peak


def _hint(code: int) -> str:
    return ", as happens when memory runs out" if code in (-9, 137) else ""
