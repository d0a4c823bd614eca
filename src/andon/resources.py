"""How many processors and how much memory there are for Andon."""

from __future__ import annotations

import os


def cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
