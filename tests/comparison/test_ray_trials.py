"""`andon compare --engine ray`: the figures of a comparison on this computer, whatever becomes of a worker."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray_clusters
from conftest import Command
from ray_clusters import Host

pytestmark = pytest.mark.timeout(300)
RECIPE = """
[steps.resize]
image_size = 64
[anomaly_map]
sigma = 1
"""
OF_THE_RUN = ("seconds_to_train", "milliseconds_per_photo", "train_megabytes", "inspect_megabytes")


@pytest.fixture(scope="module")
def head() -> Iterator[Host]:
    """That of a cluster with two cores."""
    with ray_clusters.cluster(cpus=2) as found:
        yield found


@pytest.fixture
def words(data: Path, tmp_path: Path) -> list[object]:
    """Two methods on the same photos."""
    (tmp_path / "plain.toml").write_text(RECIPE)
    return ["compare", data, "--recipe", tmp_path / "plain.toml", "--detectors", "patchcore,padim", "--json"]


def on_ray(head: Host, out: Path) -> list[object]:
    return ["--engine", "ray", "--address", head.address, "--cores", 1, "--out", out]


def figures(text: str) -> dict[str, Any]:
    """What was printed, without what differs from run to run."""
    found: dict[str, Any] = json.loads(text)
    for method in found["methods"]:
        for name in OF_THE_RUN:
            del method[name]
    return found


def test_trials_side_by_side_say_what_trials_one_by_one_say(
    andon_: Command, head: Host, words: list[object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "andon")
    alone = andon_(*words)
    with ray_clusters.membership():
        together = andon_(*words, *on_ray(head, tmp_path / "out"))
    assert together.code == alone.code == 0, together.err
    assert figures(together.out) == figures(alone.out)
    assert [message.partition(", about")[0] for message in caplog.messages[-2:]] in (
        ["[1 of 2] patchcore is done", "[2 of 2] padim is done"],
        ["[1 of 2] padim is done", "[2 of 2] patchcore is done"],
    )
    assert len(list((tmp_path / "out").rglob("judged.json"))) == 2
    again = andon_(*words, "--out", tmp_path / "out")  # without Ray: all is there
    assert json.loads(again.out) == json.loads(together.out)


def test_a_trial_whose_worker_is_killed_is_tried_again(
    andon_: Command, head: Host, words: list[object], tmp_path: Path
) -> None:
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while not killed and not over.is_set():
            for trial in head.running("andon.comparison._trial"):
                worker = trial.parent()
                if worker is not None:
                    worker.kill()
                    killed.append(worker.pid)
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    with ray_clusters.membership():
        ran = andon_(*words, *on_ray(head, tmp_path / "out"))
    over.set()
    thread.join()
    assert killed and not any(map(psutil.pid_exists, killed))
    assert ran.code == 0, ran.err
    assert len(json.loads(ran.out)["methods"]) == 2


def test_a_cluster_elsewhere_needs_a_folder(andon_: Command, words: list[object]) -> None:
    ran = andon_(*words, "--engine", "ray", "--address", "10.0.0.1:6379")
    assert ran.code == 2 and "--out" in ran.err
    ran = andon_(*words, "--address", "10.0.0.1:6379")
    assert ran.code == 2 and "--engine ray" in ran.err
