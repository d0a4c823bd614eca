"""The manifest is written once, by one run, and the others keep to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from andon.batch import lease, plan
from andon.batch.inspecting import load_model
from andon.batch.lease import Lease
from andon.batch.manifest import Manifest
from andon.batch.place import Place
from andon.batch.plan import Job, begin
from andon.batch.source import Listed, Source
from andon.errors import NotCalibratedError
from andon.models.load import load


@pytest.fixture(scope="module")
def job(exported: Path, photos: Path) -> Job:
    return Job(model=exported, pipeline=load(exported), source=Source(str(photos)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(str(tmp_path / "out"))


def photos_of(manifest: Manifest, place: Place) -> list[Listed]:
    return [photo for shard in range(manifest.shards) for photo in manifest.read_shard(place, shard)]


@pytest.mark.parametrize(("given", "workers", "shard"), [(None, 1, 16), (None, 8, 16), (7, 1, 7), (5000, 1, 5000)])
def test_shards(given: int | None, workers: int, shard: int, job: Job, place: Place) -> None:
    manifest = begin(place, replace(job, shard_size=given), workers)
    assert (manifest.photos, manifest.shard_size, manifest.shards) == (40, shard, -(-40 // shard))
    assert sum(manifest.photos_of(number) for number in range(manifest.shards)) == 40
    assert photos_of(manifest, place) == list(job.source)


def test_more_shards_than_a_file_holds(job: Job, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("andon.batch.manifest.SHARDS_PER_FILE", 4)
    manifest = begin(place, replace(job, shard_size=3))
    assert place.names("manifest/1") == [f"0000{number}.parquet" for number in range(4)]
    assert photos_of(manifest, place) == list(job.source)


def test_of_two_runs_one_lists_the_photos(
    job: Job, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(plan, "PAUSE", 0.01)
    monkeypatch.setattr(lease, "BEAT", 0.05)
    waited = threading.Event()
    monkeypatch.setattr(plan.LOG, "info", lambda _: waited.set())

    class Slow(Source):
        def __iter__(self) -> Iterator[Listed]:
            waited.wait(20)
            return super().__iter__()

    slow = replace(job, source=Slow(job.source.url))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: begin(place, slow), range(2))
    assert first == second
    assert waited.is_set()
    assert place.names("manifest") == ["1"]


def test_who_was_thought_dead_keeps_to_the_list_of_the_other(job: Job, place: Place) -> None:
    class Sleeping(Source):
        def __iter__(self) -> Iterator[Listed]:
            yield from super().__iter__()
            holder = json.loads(place.read("locks/manifest.1"))
            place.write("locks/manifest.1", json.dumps(holder | {"since": 0}).encode())  # as of a process that is gone
            taken_over.append(begin(place, replace(job, shard_size=10)))

    taken_over: list[Manifest] = []
    found = begin(place, replace(job, source=Sleeping(job.source.url)))
    assert [found] == taken_over
    assert (found.listing, found.shard_size) == ("2", 10)
    assert photos_of(found, place) == list(job.source)


def test_a_run_that_failed_does_not_keep_others_waiting(job: Job, place: Place) -> None:
    with pytest.raises(RuntimeError), Lease.acquire(place, "manifest"):  # type: ignore[union-attr]
        raise RuntimeError
    assert begin(place, job).photos == 40


def test_a_model_without_threshold(job: Job, place: Place) -> None:
    with pytest.raises(NotCalibratedError, match="no threshold yet"):
        begin(place, replace(job, pipeline=replace(job.pipeline, calibration=None)))
    assert not Path(place.root).exists()


@pytest.mark.parametrize("guard", [True, False])
def test_workers_judge_as_it_was_begun(guard: bool, job: Job, place: Place) -> None:
    pipeline = job.pipeline if guard else replace(job.pipeline, guard=None)
    manifest = begin(place, replace(job, pipeline=pipeline))
    found = load_model(place, manifest)
    assert (found.guard is not None) is guard
    assert found.model_id == job.pipeline.model_id
    assert found.scorer.precision == job.pipeline.scorer.precision
