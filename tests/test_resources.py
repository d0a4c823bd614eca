"""Threads and memory, of the machine and of containers, whose control groups are drawn here."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from andon import resources
from andon.errors import ConfigError

GB = 10**9
MACHINE = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cgroup.controllers": "cpu memory\n"}


def draw(root: Path, files: dict[str, str]) -> Path:
    """A file system with these files."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine of eight cores without limits."""
    monkeypatch.delenv(resources.THREADS, raising=False)
    monkeypatch.delenv(resources.OPENMP, raising=False)
    monkeypatch.setattr(resources, "_processors", lambda: 8)
    monkeypatch.setattr(resources, "cpu_quota", lambda: math.inf)
    return monkeypatch


def test_without_limits_there_is_a_thread_for_each_processor(eight_cores: pytest.MonkeyPatch) -> None:
    assert resources.cpus() == 8


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone binds processes to processors this way")
def test_a_process_bound_to_one_processor_gets_one_thread() -> None:
    script = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); import andon.resources as r"
    words = [sys.executable, "-c", f"{script}; print(r.cpus())"]
    limits = (resources.THREADS, resources.OPENMP)
    environment = {name: value for name, value in os.environ.items() if name not in limits}
    assert subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.mark.parametrize(("quota", "threads"), [(2.0, 2), (1.5, 2), (0.1, 1), (64.0, 8)])
def test_a_containers_share_is_rounded_up(eight_cores: pytest.MonkeyPatch, quota: float, threads: int) -> None:
    eight_cores.setattr(resources, "cpu_quota", lambda: quota)
    assert resources.cpus() == threads


@pytest.mark.parametrize(("openmp", "threads"), [("2", 2), ("3,1", 3), ("64", 8), ("", 8), ("0", 8), ("many", 8)])
def test_what_openmp_is_told_bounds_andon_too(eight_cores: pytest.MonkeyPatch, openmp: str, threads: int) -> None:
    eight_cores.setenv(resources.OPENMP, openmp)
    assert resources.cpus() == threads


def test_andon_threads_has_the_last_word(eight_cores: pytest.MonkeyPatch) -> None:
    eight_cores.setenv(resources.OPENMP, "2")
    eight_cores.setenv(resources.THREADS, "12")
    assert resources.cpus() == 12


@pytest.mark.parametrize("nonsense", ["0", "-1", "1.5", "many", " "])
def test_a_number_of_threads_that_makes_no_sense_is_refused(eight_cores: pytest.MonkeyPatch, nonsense: str) -> None:
    eight_cores.setenv(resources.THREADS, nonsense)
    with pytest.raises(ConfigError, match=rf"^ANDON_THREADS is '{nonsense}'; it must be a whole number of threads, 1"):
        resources.cpus()


def test_libraries_are_held_to_fewer_threads_only_where_there_are_fewer(eight_cores: pytest.MonkeyPatch) -> None:
    eight_cores.setattr(os, "cpu_count", lambda: 8)
    eight_cores.setattr(os, "environ", {})
    resources.limit_libraries()
    assert os.environ == {}
    eight_cores.setattr(resources, "cpu_quota", lambda: 2.0)
    resources.limit_libraries()
    assert os.environ == {resources.OPENMP: "2"}


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        pytest.param({}, math.inf, id="no Linux"),
        pytest.param(MACHINE, math.inf, id="v2, no controller"),
        pytest.param(MACHINE | {"sys/fs/cgroup/cpu.max": "max 100000\n"}, math.inf, id="v2, no limit"),
        pytest.param(MACHINE | {"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5, id="v2, container"),
        pytest.param(
            {
                "proc/self/cgroup": "0::/work.slice/andon.service\n",
                "sys/fs/cgroup/work.slice/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/work.slice/andon.service/cpu.max": "max 100000\n",
                "sys/fs/cgroup/other.slice/cpu.max": "10000 100000\n",
            },
            2.0,
            id="v2, a limit further out",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "3:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            2.5,
            id="v1, container that does not see its own path",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "2:cpu:/\n0::/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/unified/cgroup.controllers": "\n",
            },
            math.inf,
            id="v1 beside v2, no limit",
        ),
    ],
)
def test_the_cpu_quota_of_control_groups(tmp_path: Path, files: dict[str, str], quota: float) -> None:
    assert resources.cpu_quota(draw(tmp_path, files)) == quota


@pytest.mark.parametrize(
    ("files", "left"),
    [
        pytest.param({}, math.inf, id="no Linux"),
        pytest.param(
            MACHINE | {"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5\n"},
            math.inf,
            id="v2, no limit",
        ),
        pytest.param(
            MACHINE
            | {
                "sys/fs/cgroup/memory.max": f"{4 * GB}\n",
                "sys/fs/cgroup/memory.current": f"{3 * GB}\n",
                "sys/fs/cgroup/memory.stat": f"anon {GB}\ninactive_file {GB // 2}\nactive_file {GB // 4}\n",
            },
            1.75 * GB,
            id="v2: files that were read do not count",
        ),
        pytest.param(
            MACHINE | {"sys/fs/cgroup/memory.max": "100\n", "sys/fs/cgroup/memory.current": "120\n"}, 0, id="v2, full"
        ),
        pytest.param(
            {
                "proc/self/cgroup": "3:memory:/docker/abc\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GB}\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GB}\n",
                "sys/fs/cgroup/memory/memory.stat": (
                    f"inactive_file 5\nactive_file 5\ntotal_inactive_file {GB // 4}\ntotal_active_file 0\n"
                ),
            },
            1.25 * GB,
            id="v1, container",
        ),
    ],
)
def test_the_memory_that_control_groups_leave(tmp_path: Path, files: dict[str, str], left: float) -> None:
    assert resources.memory_left(draw(tmp_path, files)) == left


@pytest.mark.parametrize(("left", "available"), [(math.inf, 5 * GB), (2 * GB, 2 * GB), (9 * GB, 5 * GB)])
def test_the_smaller_of_machine_and_container_counts(
    monkeypatch: pytest.MonkeyPatch, left: float, available: int
) -> None:
    class Memory:
        available = 5 * GB

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    monkeypatch.setattr(resources, "memory_left", lambda: left)
    assert resources.available_memory() == available


def test_this_machine_has_some_of_both() -> None:
    assert resources.cpus() >= 1
    assert 0 < resources.available_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("flags", "known"), [("avx512_bf16 avx512_vnni", False), ("avx512_bf16 amx_bf16 amx_tile", True)]
)
def test_matrix_instructions_are_read_from_the_processors_flags(tmp_path: Path, flags: str, known: bool) -> None:
    root = draw(tmp_path, {"proc/cpuinfo": f"processor : 0\nflags\t\t: fpu sse {flags}\n"})
    assert resources.has_amx(root) is known


def test_a_system_that_does_not_tell_has_no_matrix_instructions(tmp_path: Path) -> None:
    assert not resources.has_amx(tmp_path)
