"""Clusters of more than one host: what a host lacks is said before the work, and one that is lost loses no photo."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import plate_photos
import pytest
import ray_clusters
from pyarrow import parquet
from ray_clusters import Host

from andon import ray_cluster, ray_hosts
from andon.batch import ray_driver
from andon.batch.place import Place
from andon.batch.plan import Job, begin
from andon.batch.source import Source
from andon.errors import InputError
from andon.models.load import load

pytestmark = pytest.mark.timeout(300)
GB = 10**9
Needs = tuple[str, str, list[str]]
N = 120
SECONDS = 250
AT_WORK = "MapWorker(MapBatches(Actor)).submit"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster with one core."""
    with ray_clusters.cluster(cpus=1) as head:
        yield head.address


@pytest.fixture
def member(address: str) -> Iterator[str]:
    """This process may take part in the cluster; its address."""
    with ray_clusters.membership():
        yield address


@pytest.fixture
def connected(member: str) -> Iterator[str]:
    """This process takes part in the cluster."""
    with ray_cluster.connect(member):
        yield member


@pytest.fixture
def needs(photos: Path) -> Needs:
    """Of a host that is to inspect the photos."""
    return "andon.batch.shard", "ray", [str(photos), str(next(photos.rglob("*.png")))]


@pytest.fixture
def out(exported: Path, photos: Path, tmp_path: Path) -> Path:
    """A batch that was begun."""
    place = Place.at(str(tmp_path / "out"))
    begin(place, Job(model=exported, pipeline=load(exported), source=Source(str(photos))))
    return tmp_path / "out"


def test_a_cluster_without_room_for_a_worker_says_what_it_has(connected: str) -> None:
    assert ray_hosts.workers(1, 2 * GB) == 1
    with pytest.raises(InputError, match=r"No computer .* --cores 4 --memory 2\.0; .*, has 1 cores and 6\.0 GB"):
        ray_hosts.workers(4, 2 * GB)
    with pytest.raises(InputError, match=r"--cores 1 --memory 7\.0; the largest"):
        ray_hosts.workers(1, 7 * GB)


def test_a_computer_with_another_andon_is_named(connected: str, needs: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    ray_hosts.check(*needs)
    monkeypatch.setattr(ray_hosts, "version", lambda _: "99.0")
    with pytest.raises(InputError, match=r"of the Ray cluster has Andon .*, and this computer 99\.0; install the"):
        ray_hosts.check(*needs)


def test_a_computer_without_andon_is_named(connected: str, needs: Needs, tmp_path: Path) -> None:
    package = tmp_path / "andon"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('no Andon here')")
    with (
        ray_clusters.joined(connected, "--num-cpus=1", environment={"PYTHONPATH": str(tmp_path)}),
        pytest.raises(InputError, match=r"cannot work \(no Andon here\); install andon\[ray\] .* on every computer"),
    ):
        ray_hosts.check(*needs)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may hide a folder from a process")
def test_a_computer_that_does_not_see_the_photos_is_named(connected: str, needs: Needs, photos: Path) -> None:
    hidden = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(photos))
    with (
        ray_clusters.joined(connected, "--num-cpus=1", inside=hidden),
        pytest.raises(InputError, match=r"cannot see .*\.png \(it is not there\); what is read and written must"),
    ):
        ray_hosts.check(*needs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within Ray Data
def test_shards_are_given_to_ray_in_rounds(member: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_driver, "SHARDS_AT_ONCE", 2)
    said: list[dict[str, Any]] = []
    job = {"out": str(out), "shards": [0, 1, 2], "cores": 1, "memory": GB, "workers": None, "address": member}
    ray_driver.drive(job, said.append)
    assert sorted(one["shard"] for one in said) == [0, 1, 2]
    assert [one["part"]["verdicts"].keys() <= {"OK", "NG"} and not one["why"] for one in said] == [True] * 3


def test_a_host_that_is_cut_off_and_killed_loses_nothing_and_doubles_nothing(exported: Path, tmp_path: Path) -> None:
    """Two hosts with networks of their own. The second keeps its disk: it goes on writing until it is killed."""
    out = tmp_path / "out"
    paths = plate_photos.write_parts(tmp_path / "photos", range(600, 600 + N))
    with ray_clusters.two_networks() as (one, other), ExitStack() as stack:
        head = stack.enter_context(ray_clusters.cluster(cpus=1, address=one.address, inside=one.inside))
        joining = (f"--node-ip-address={other.address}", "--num-cpus=1")
        host = stack.enter_context(ray_clusters.joined(head.address, *joining, inside=other.inside))
        words = batch(exported, tmp_path, head.address)
        with begun([*one.inside, *words, "--memory", "1.5"]) as process:
            wait(process, lambda: len(done(out)) >= 6 and bool(host.running(AT_WORK)))
            other.cut_off()
            before = len(done(out))
            wait(process, lambda: len(done(out)) >= before + 3)
            host.lost()
            said, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert f"({other.address}) is lost to the Ray cluster" in err
    require_all(said, out, paths)


def test_work_goes_on_with_whatever_computers_there_are(exported: Path, tmp_path: Path) -> None:
    """One joins late and is used, all are lost, and when another comes the work goes on by itself."""
    out = tmp_path / "out"
    paths = plate_photos.write_parts(tmp_path / "photos", range(600, 600 + N))
    with ray_clusters.cluster(cpus=0) as head, ExitStack() as stack:

        def join() -> Host:
            return stack.enter_context(ray_clusters.joined(head.address, "--num-cpus=1"))

        first = join()
        with begun(batch(exported, tmp_path, head.address)) as process:
            wait(process, lambda: len(done(out)) >= 2)
            for worker in first.running("MapWorker"):
                worker.suspend()
            late, before = join(), len(done(out))
            wait(process, lambda: len(done(out)) >= before + 3)
            first.lost()
            late.lost()
            left = len(done(out))
            assert process.stderr is not None
            heard = read_until(process.stderr, "waiting for one")
            assert len(done(out)) == left < N / 4
            join()
            said, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, heard + err
    assert "is lost to the Ray cluster" in heard and "the work goes on" in err
    require_all(said, out, paths)


def read_until(stream: IO[str], words: str) -> str:
    """What comes, up to the line with the words."""
    heard = ""
    while words not in heard:
        line = stream.readline()
        assert line, heard
        heard += line
    return heard


def batch(model: Path, folder: Path, address: str) -> list[str]:
    """The command: shards of four of the folder's `photos`, on the cluster, into its `out`."""
    words = [sys.executable, "-m", "andon", "batch", model, folder / "photos", "-o", folder / "out", "--shard", 4]
    return [*map(str, words), "--cores", "1", "--engine", "ray", "--address", address]


def begun(command: list[str]) -> subprocess.Popen[str]:
    """The command under way, with the cluster's token."""
    pipe, env = subprocess.PIPE, os.environ | ray_clusters.ENVIRONMENT
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env)


def require_all(said: str, out: Path, paths: Iterable[Path]) -> None:
    """That all photos were counted, and each has one row."""
    assert said.startswith(f"Counted: {N} photos = {N} verdicts")
    rows = [row["path"] for part in done(out) for row in parquet.read_table(part, columns=["path"]).to_pylist()]
    assert rows == sorted(map(str, paths))


def done(out: Path) -> list[Path]:
    """The parts."""
    return sorted((out / "parts").glob("*.parquet"))


def wait(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Until the condition holds; the process is to live so long."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
