"""How many threads and how much memory Andon may use: what the machine has, and what a container leaves of it.

Whoever wants cores or memory asks here. On Linux a container is held to its share by control groups, v1 or v2, which
neither `os.cpu_count` nor the memory that the machine reports as free know of.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from andon.errors import ConfigError

THREADS = "ANDON_THREADS"
"""The environment variable that says how many threads Andon computes with."""

OPENMP = "OMP_NUM_THREADS"
"""What torch, OpenBLAS and others read when they are loaded."""

ROOT = Path("/")


def cpus() -> int:
    """How many threads Andon computes with.

    As many as ANDON_THREADS says; else one per processor that this process may use, at most the CPU time that its
    container is granted, rounded up, and at most OMP_NUM_THREADS, by which schedulers share a machine out.

    Raises:
        ConfigError: ANDON_THREADS is not a whole number, 1 or more.
    """
    if wanted := os.environ.get(THREADS):
        return _positive(wanted)
    threads = min(_processors(), cpu_quota())
    openmp = os.environ.get(OPENMP, "").partition(",")[0].strip()  # "4,2" also says how many within a region
    if openmp.isdecimal() and int(openmp):
        threads = min(threads, int(openmp))
    return max(1, math.ceil(threads))


def available_memory() -> int:
    """Bytes that this process can still take without making the machine swap or its container end it."""
    import psutil  # here, as `andon --help` asks for threads and does without it

    return int(min(psutil.virtual_memory().available, memory_left()))


def has_amx(root: Path = ROOT) -> bool:
    """Whether this processor multiplies matrices of bf16 (Intel AMX). Known on Linux alone; False elsewhere."""
    return "amx_bf16" in _instructions(root)


def has_8_bit_products(root: Path = ROOT) -> bool:
    """Whether it adds up products of 8 bits without losing any (VNNI). Known on Linux alone; False elsewhere."""
    return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & _instructions(root))


def _instructions(root: Path) -> set[str]:
    """The words that describe the processor."""
    try:
        return set((root / "proc/cpuinfo").read_text().split())
    except OSError:
        return set()


def limit_libraries() -> None:
    """Limit libraries that have threads of their own to `cpus`, where the machine has more.

    Call it before they are imported. It is for programs: in somebody else's process, the number of threads is theirs
    to decide.
    """
    if cpus() < (os.cpu_count() or 1):
        os.environ.setdefault(OPENMP, str(cpus()))


def use_cores(cores: int) -> None:
    """Compute with so many threads in this process; call it before anything that computes is imported."""
    os.environ[THREADS] = os.environ[OPENMP] = str(cores)


def cpu_quota(root: Path = ROOT) -> float:
    """How many processors' time the control groups grant this process; infinity where they set no limit.

    Args:
        root: of the file system; a test draws one.
    """
    return min((_quota(group) for group in _groups("cpu", root)), default=math.inf)


def memory_left(root: Path = ROOT) -> float:
    """Bytes that the control groups still let this process take; infinity where they set no limit."""
    return min((_left(group) for group in _groups("memory", root)), default=math.inf)


def _processors() -> int:
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _positive(text: str) -> int:
    if not (text.strip().isdecimal() and int(text)):
        raise ConfigError(f"{THREADS} is {text!r}; it must be a whole number of threads, 1 or more.")
    return int(text)


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the groups that this process is in, its own and all around it, as each may set a limit.

    Within a container its own group often looks like the outermost one; then that is all there is to see.
    """
    top = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", maxsplit=2)
        if not controllers:
            mounts = [top / "unified", top]  # v2, beside v1 or alone
        elif controller in controllers.split(","):
            mounts = [top / controller, top / controllers]
        else:
            continue
        mount = next((folder for folder in mounts if folder.is_dir()), top)
        own = mount / path.lstrip("/")
        yield from (group for group in (own, *own.parents) if group.is_relative_to(mount) and group.is_dir())


def _quota(group: Path) -> float:
    words = _words(group / "cpu.max") or _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
    if len(words) != 2 or words[0] in ("max", "-1"):
        return math.inf
    return int(words[0]) / int(words[1])


def _left(group: Path) -> float:
    """Pages of files that were read count as used but are given back before the limit is reached."""
    limit = _words(group / "memory.max") or _words(group / "memory.limit_in_bytes")
    used = _words(group / "memory.current") or _words(group / "memory.usage_in_bytes")
    if not limit or not used or limit == ["max"]:
        return math.inf
    stat = dict(line.split(maxsplit=1) for line in _lines(group / "memory.stat"))
    of_all = "total_" if "total_inactive_file" in stat else ""  # v1 has those of the groups within beside its own
    files = sum(int(stat.get(f"{of_all}{kind}_file", 0)) for kind in ("inactive", "active"))
    return max(0, int(limit[0]) - int(used[0]) + files)


def _words(file: Path) -> list[str]:
    return [word for line in _lines(file) for word in line.split()]


def _lines(file: Path) -> list[str]:
    """The text of a file, where there is one; other systems and other versions of control groups lack it."""
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
