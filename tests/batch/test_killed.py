"""Runs and workers are killed, and photos kill them; at the end every photo has one row."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import batches
import numpy as np
import psutil
import pytest
from batches import DEADLY, content_of, rows_of
from conftest import Command

from andon import images
from andon.batch import local
from andon.batch import shard as worker
from andon.batch.lease import Lease
from andon.batch.place import Place


@pytest.fixture
def many(photos: Path, tmp_path: Path) -> Path:
    """A list of 200 photos, each five times."""
    path = tmp_path / "many.txt"
    path.write_text("\n".join(map(str, sorted(photos.rglob("*.png")) * 5)))
    return path


pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(exported: Path, tmp_path: Path) -> Iterator[Start]:
    """`andon batch` into the folder "out" as a process of its own."""
    started = []

    def run(source: Path, *words: object) -> subprocess.Popen[str]:
        command = ["batch", exported, source, "-o", tmp_path / "out", "--workers", 1, *words]
        process = subprocess.Popen(
            [sys.executable, "-m", "andon", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def parts(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "parts").glob("*.parquet")) if out.exists() else []


def wait_for(number: int, out: Path, process: subprocess.Popen[str]) -> None:
    """Until so many parts are done, or the run has ended."""
    while len(parts(out)) < number and process.poll() is None:
        time.sleep(0.01)


def worker_of(process: subprocess.Popen[str]) -> psutil.Process:
    """The one that inspects; the other child keeps track of semaphores."""
    return max(psutil.Process(process.pid).children(), key=lambda child: child.memory_info().rss)


def require_all_rows(out: Path, many: Path) -> None:
    assert [row["path"] for row in rows_of(out)] == many.read_text().splitlines()
    left = {name for name in content_of(out) if not name.startswith(("parts/0", "manifest/1/0"))}
    assert left == {".andon-output", "failures.csv", "manifest.json", "model/plates.andon", "summary.html"}


def test_a_worker_and_a_run_are_killed_and_two_runs_finish_it(start: Start, many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = start(many, "--shard", 4)
    wait_for(1, out, first)
    worker_of(first).kill()
    wait_for(8, out, first)
    orphan = worker_of(first)
    first.kill()
    psutil.wait_procs([orphan], timeout=10)
    assert not orphan.is_running()
    before = content_of(out / "parts")
    assert 8 <= len(before) < 50
    runs = [start(many, "--shard", 4), start(many)]
    for run in runs:
        said, errors = run.communicate(timeout=250)
        assert run.returncode == 0, errors
        assert "Counted: 200 photos = 200 verdicts" in said
    after, whole = content_of(out / "parts"), {name for name in before if name.endswith(".parquet")}
    assert {name: after[name] for name in whole} == {name: before[name] for name in whole}
    require_all_rows(out, many)


def test_ctrl_c_says_how_to_go_on(start: Start, many: Path, tmp_path: Path, batch: Command) -> None:
    out = tmp_path / "out"
    run = start(many, "--shard", 4)
    wait_for(3, out, run)
    worker = worker_of(run)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    _, errors = run.communicate(timeout=100)
    assert run.returncode == 130
    assert "of 50 shards are done; the same command goes on from there." in errors
    assert "Traceback" not in errors
    assert not worker.is_running()
    before = content_of(out / "parts")
    assert not [name for name in before if "unfinished" in name]
    assert batch(many).code == 0
    assert content_of(out / "parts").items() >= before.items()
    assert [row["path"] for row in rows_of(out)] == many.read_text().splitlines()


@pytest.mark.endurance
@pytest.mark.timeout(600)
def test_twenty_kills(start: Start, many: Path, tmp_path: Path) -> None:
    out, dice = tmp_path / "out", random.Random(17)
    many.write_text("\n".join([many.read_text()] * 2))  # 100 shards
    for kill in range(20):
        run = start(many, "--shard", 4)
        wait_for(len(parts(out)) + dice.randrange(1, 6), out, run)
        time.sleep(dice.random() / 10)
        victim = worker_of(run) if kill % 2 else psutil.Process(run.pid)
        victim.kill()
        time.sleep(dice.random())
        run.kill()
        run.wait()
        assert len(parts(out)) < 100
    start(many).communicate(timeout=250)
    require_all_rows(out, many)


def died_over(place: Place, shard: str, times: int) -> None:
    """Leave behind what workers leave that were stopped over a shard."""
    for _ in range(times):
        with pytest.raises(RuntimeError), Lease.acquire(place, shard):  # type: ignore[union-attr]
            raise RuntimeError


def test_a_photo_that_kills_whoever_reads_it_is_a_failure(
    batch: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    os.link(photos / "monday" / "200.png", source / "200.png")
    os.link(photos / "monday" / "201.png", source / f"{DEADLY}.png")
    died_over(Place.at(str(tmp_path / "out")), "0000000", 2)
    monkeypatch.setattr(worker, "judge_photos", batches.judge_or_die)
    assert batch(source, "--max-failures", "50 %").code == 0
    rows = rows_of(tmp_path / "out")
    assert [row["verdict"] == "error" for row in rows] == [False, True]
    assert "the process that tried it ended, 2 times out of 2" in rows[1]["error"]
    assert "deadly.png" in (tmp_path / "out" / "failures.csv").read_text()


@pytest.mark.endurance
@pytest.mark.timeout(400)
def test_a_photo_that_takes_too_much_memory_is_a_failure(start: Start, photos: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for path in (photos / "monday").glob("20?.png"):
        os.link(path, source / path.name)
    images.write(source / "205b.png", np.zeros((12_000, 12_000, 3), np.uint8))
    run = start(source, "--memory", 0.7, "--max-failures", "10 %")
    said, errors = run.communicate(timeout=390)
    assert run.returncode == 0, errors
    assert "11 photos = 10 verdicts" in said
    assert [Path(row["path"]).name for row in rows_of(tmp_path / "out") if row["verdict"] == "error"] == ["205b.png"]


def test_too_little_memory_for_any_photo(
    andon_: Command, exported: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "DEATHS", 2)
    ran = andon_("batch", exported, photos, "-o", tmp_path / "out", "--memory", 0.1, "--workers", 1)
    assert ran.code == 2
    assert "A worker ended 2 times in a row" in ran.err
    assert "It may hold 0.1 GB: allow more with --memory" in ran.err
