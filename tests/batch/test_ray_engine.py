"""`andon batch --engine ray` on real clusters: the verdicts of `andon inspect`, whoever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import plate_photos
import psutil
import pytest
import ray_clusters
from conftest import Command, Ran
from pyarrow import parquet
from ray_clusters import Host

from andon import images
from andon.ray_cluster import TOKENS

pytestmark = pytest.mark.timeout(300)
N = 48
SECONDS = 200


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of 40 sound parts and 8 rusty ones. Read only."""
    folder = tmp_path_factory.mktemp("plates")
    plate_photos.write_parts(folder, range(400, 440))
    for seed in range(500, 508):
        images.write(folder / f"{seed}.png", plate_photos.rusty(seed)[0])
    return folder


@pytest.fixture(scope="module")
def head() -> Iterator[Host]:
    """That of a cluster with two cores."""
    with ray_clusters.cluster(cpus=2) as found:
        yield found


def command(model: Path, photos: Path, out: Path, *words: object) -> list[str]:
    """`andon batch` with workers of one core and little memory."""
    program = [sys.executable, "-m", "andon", "batch", model, photos, "-o", out, "--cores", 1, "--memory", 1.5, *words]
    return [str(word) for word in program]


@contextmanager
def running(words: list[str], **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, with the cluster's token; it ends with the block."""
    env = os.environ | ray_clusters.ENVIRONMENT | environment
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=env, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=SECONDS)
    return Ran(process.returncode, out, err)


def run(words: list[str], **environment: str) -> Ran:
    with running(words, **environment) as process:
        return ended(process)


def rows(out: Path) -> list[dict[str, Any]]:
    """Of all parts, in the order of the photos."""
    return [row for part in sorted((out / "parts").glob("*.parquet")) for row in parquet.read_table(part).to_pylist()]


def parts(out: Path) -> set[Path]:
    return set((out / "parts").glob("*.parquet"))


def wait_for_parts(out: Path, n: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SECONDS
    while len(parts(out)) < n:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_cluster_of_this_computer_says_what_inspect_says(
    andon_: Command, exported: Path, plates: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = run(command(exported, plates, out, "--engine", "ray", "--shard", 20))
    inspected = andon_("inspect", exported, plates, "--json")
    expected = {row["path"]: row for row in map(json.loads, inspected.out.splitlines())}
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"Counted: {N} photos = {N} verdicts")
    assert "ray" not in ran.err.lower() and "Actor" not in ran.err, ran.err
    assert [row["path"] for row in rows(out)] == sorted(expected)
    for row in rows(out):
        assert row["verdict"] == expected[row["path"]]["verdict"]
        assert row["score"] == pytest.approx(expected[row["path"]]["score"], abs=1e-5)
    assert {row["verdict"] for row in rows(out)} >= {"OK", "NG"}


def test_whoever_lacks_the_token_is_refused(head: Host, exported: Path, plates: Path, tmp_path: Path) -> None:
    words = command(exported, plates, tmp_path / "out", "--engine", "ray", "--address", head.address)
    wrong = run(words, RAY_AUTH_TOKEN="0" * 64)
    assert wrong.code == 2
    assert head.address in wrong.err and "token" in wrong.err and "Traceback" not in wrong.err
    none = run(["env", *(f"-u{name}" for name in TOKENS), f"HOME={tmp_path}", *words])
    assert none.code == 2
    assert head.address in none.err and "token" in none.err and "Traceback" not in none.err
    assert not rows(tmp_path / "out")


def test_workers_that_are_killed_lose_nothing_and_double_nothing(
    head: Host, exported: Path, plates: Path, tmp_path: Path
) -> None:
    out, killed = tmp_path / "out", 0
    with running(command(exported, plates, out, "--engine", "ray", "--address", head.address, "--shard", 4)) as process:
        for _ in range(3):
            wait_for_parts(out, len(parts(out)) + 1, process)  # one more than at the last kill
            while not (workers := head.running("MapWorker")):
                assert process.poll() is None, process.communicate()[1]
            for worker in workers:
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
                killed += 1
        ran = ended(process)
    assert ran.code == 0, ran.err
    assert killed >= 3
    assert [row["path"] for row in rows(out)] == sorted(map(str, plates.glob("*.png")))


def test_what_was_begun_with_one_engine_goes_on_with_another(
    head: Host, exported: Path, plates: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    kept: dict[Path, int] = {}
    with_ray, alone = ["--engine", "ray", "--address", head.address], ["--engine", "local", "--workers", "1"]
    for n, engine in ((1, with_ray), (5, alone)):
        with running(command(exported, plates, out, *engine, "--shard", 4)) as process:
            wait_for_parts(out, n, process)
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal
            stopped = ended(process)
        assert stopped.code == 130 and "Interrupted" in stopped.err, stopped.err
        assert len(parts(out)) < N / 4
        kept |= {part: part.stat().st_mtime_ns for part in parts(out)}
    ran = run(command(exported, plates, out, *with_ray, "--shard", 4))
    assert ran.code == 0, ran.err
    assert {part: part.stat().st_mtime_ns for part in kept} == kept
    assert [row["path"] for row in rows(out)] == sorted(map(str, plates.glob("*.png")))


def test_a_head_that_is_killed_ends_the_run_in_a_sentence_and_loses_nothing(
    exported: Path, plates: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with (
        ray_clusters.cluster(cpus=1) as head,
        running(command(exported, plates, out, "--engine", "ray", "--address", head.address, "--shard", 4)) as process,
    ):
        wait_for_parts(out, 1, process)
        head.lost()
        stopped = ended(process)
    assert stopped.code == 2
    assert f"at {head.address}" in stopped.err.splitlines()[-1] and "Traceback" not in stopped.err
    kept = {part: part.stat().st_mtime_ns for part in parts(out)}
    assert 0 < len(kept) < N / 4
    assert run(command(exported, plates, out, "--workers", "1", "--shard", 4)).code == 0
    assert {part: part.stat().st_mtime_ns for part in kept} == kept
    assert [row["path"] for row in rows(out)] == sorted(map(str, plates.glob("*.png")))
