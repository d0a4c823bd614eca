"""Tasks on a Ray cluster of this machine, some of whose workers die, and a training on it."""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import engine_tasks
import plate_photos
import pytest
import ray_clusters

from andon import datasets, engines, recipes
from andon.engines import Engine, of_ray
from andon.engines.local import LocalEngine
from andon.errors import AndonError, ConfigError, ImageError
from andon.models.save import save
from andon.teaching.shards.teach import teach

TESTS = Path(__file__).parents[1]
HASTY = """
import sys
from andon import cli, ray_cluster
ray_cluster.SECONDS_BETWEEN_LOOKS, ray_cluster.SECONDS_TO_LOSE = 0.2, 2
sys.exit(cli.main())
"""

pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]  # the warnings are Ray's


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANDON_THREADS", "2")
        patch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        with engines.opened("ray") as engine:
            yield engine


def test_results_come_in_order_and_what_is_said_is_heard(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "andon"):
        assert list(engine.map(engine_tasks.times, range(10), 3)) == list(range(0, 30, 3))
    assert caplog.messages == ["seven was here"]
    assert engine.slots == 2


def test_a_task_has_one_core(engine: Engine) -> None:
    assert list(engine.map(engine_tasks.cores, [0], None)) == [1]


def test_errors_come_as_they_are(engine: Engine) -> None:
    with pytest.raises(ImageError, match=r"^3 is no photo\.$"):
        list(engine.map(engine_tasks.refuse, range(10), None))


def test_a_worker_without_what_a_task_needs_is_told_of(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def task(item, nothing):\n    return item\n")
    monkeypatch.syspath_prepend(tmp_path)
    only_here = importlib.import_module("only_here")
    with pytest.raises(AndonError, match=r"cannot compute \(.*No module named 'only_here'\); install Andon"):
        list(engine.map(only_here.task, [0], None))


def test_a_task_whose_worker_is_killed_is_done_again(engine: Engine, tmp_path: Path) -> None:
    assert list(engine.map(engine_tasks.die_once, range(8), tmp_path)) == list(range(8))
    assert (tmp_path / "died").exists()


def test_a_task_that_no_worker_survives_ends_the_work(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_ray, "TRIES_AGAIN", 1)
    with pytest.raises(AndonError, match=r"^Workers of the Ray cluster died 2 times over one task .* --shard smaller"):
        list(engine.map(engine_tasks.die, [0], None))


def test_a_task_that_no_host_has_the_memory_for_is_refused(engine: Engine) -> None:
    with pytest.raises(ConfigError, match=r"needs about 1024\.0 GiB .* offer \d+\.\d GiB at most"):
        list(engine.map(engine_tasks.times, [0], 1, memory=2**40))


def test_shards_make_the_same_model_on_ray_as_in_this_process(engine: Engine, tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(10))
    recipe = recipes.build("default", [*plate_photos.FAST, "training.folds=2"])
    files = []
    for one in (engine, LocalEngine()):
        model = teach(recipe, datasets.read(tmp_path / "ok"), one, shard_size=3, precision="f32")
        path = tmp_path / f"{one.name}.safetensors"
        save(model, path)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_a_head_that_is_killed_ends_the_training_in_a_sentence(tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(60))
    model, env = tmp_path / "model.safetensors", os.environ | ray_clusters.ENVIRONMENT
    words = ["train", tmp_path / "ok", "-o", model, "--engine", "ray", "--shard", 3]
    with ray_clusters.cluster(cpus=1) as head:
        command = [sys.executable, "-c", HASTY, *map(str, words), "--address", head.address]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
            deadline = time.monotonic() + 60
            while not head.running("ray::_run"):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            head.lost()
            assert process.stderr is not None
            said = process.stderr.read().splitlines()
    assert process.returncode == 2
    assert said[-1].startswith(
        f"Error: The Ray cluster at {head.address} is lost, as its head does not answer any more"
    )
    assert not any("GCS" in line or "Traceback" in line for line in said), said
    assert not list(tmp_path.glob("*.safetensors*"))
