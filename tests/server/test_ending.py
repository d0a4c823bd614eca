"""How a server ends: in good order after a signal, and without losing what it answered when it is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from serving import NG_PHOTO, OK_PHOTO

from andon.store import Filter, PhotoStore, Store

HERE = Path(__file__).parent
SECONDS = 60


@dataclass(frozen=True)
class Process:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    url: str


@contextmanager
def started(data: Path, seconds: float = 0.0) -> Iterator[Process]:
    """A server that takes so long for each batch; it is killed at the end of the block, if it still runs."""
    data.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path])}
    command = [sys.executable, str(HERE / "slow_server.py"), str(data), str(seconds)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield Process(process, process.stdout.readline().strip())
        finally:
            process.kill()


def inspect(url: str, photo: bytes = OK_PHOTO) -> httpx.Response:
    return httpx.post(f"{url}/v1/inspect", content=photo, timeout=SECONDS)


def wait_for(client: httpx.Client, line: str) -> None:
    """Until the figures say so."""
    while line not in client.get("/metrics").text:
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, number: int) -> None:
    """It says that it is not ready, finishes what it took, lets followers go, and ends with 0."""
    with (
        started(tmp_path / "data", 1.0) as server,
        httpx.Client(base_url=server.url, timeout=SECONDS) as client,
        ThreadPoolExecutor(5) as clients,
    ):
        follower = clients.submit(lambda: httpx.get(f"{server.url}/v1/events", timeout=SECONDS).text)
        taken = [clients.submit(inspect, server.url) for _ in range(3)]
        wait_for(client, 'andon_waiting{model="part"} 3.0')
        server.process.send_signal(number)
        while (ready := client.get("/readyz")).status_code == 200:
            time.sleep(0.01)
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert [one.result().status_code for one in taken] == [200] * 3
        assert follower.result().startswith("retry")
        assert server.process.wait(SECONDS) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/readyz")
    with Store.open(None, tmp_path / "data") as store:
        assert store.inspections.counts() == {"OK": 3}


def test_a_second_signal_ends_it_at_once_and_without_a_traceback(tmp_path: Path) -> None:
    with (
        started(tmp_path / "data", 2.0) as server,
        httpx.Client(base_url=server.url, timeout=SECONDS) as client,
        ThreadPoolExecutor(1) as clients,
    ):
        clients.submit(inspect, server.url)
        wait_for(client, 'andon_waiting{model="part"} 1.0')
        server.process.send_signal(signal.SIGINT)
        while client.get("/readyz").status_code == 200:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(SECONDS) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


def kill_while_it_works(data: Path, wait: float) -> list[str]:
    """Send photos from four clients, kill the server `wait` seconds after the first answer, and return all answers."""
    told: list[str] = []
    is_over = Event()

    def send(url: str) -> None:
        with suppress(httpx.HTTPError), httpx.Client(base_url=url, timeout=SECONDS) as client:
            while not is_over.is_set():
                answer = client.post("/v1/inspect", content=random.choice([OK_PHOTO, NG_PHOTO]))
                assert answer.status_code == 200
                told.append(answer.json()["inspection_id"])

    with started(data) as server:
        clients = [Thread(target=send, args=(server.url,)) for _ in range(4)]
        for client in clients:
            client.start()
        while not told:
            time.sleep(0.01)
        time.sleep(wait)
        server.process.send_signal(signal.SIGKILL)
        is_over.set()
        for client in clients:
            client.join()
    return told


def check_that_nothing_was_lost(data: Path, kills: int) -> None:
    """What clients were told is in the database, each once, with its photo."""
    told: list[str] = []
    for _ in range(kills):
        told += kill_while_it_works(data, random.uniform(0.1, 0.7))
    with Store.open(None, data) as store:
        found = [one.inspection_id for one in store.inspections.each(Filter())]
        assert set(told) <= set(found)
        assert len(found) == len(set(found))
        assert len(found) <= len(told) + 4 * kills  # those whose answer was under way
        photos = PhotoStore(data)
        assert all(photos.read(one.photo_sha256) for one in store.inspections.each(Filter()))


def test_what_was_answered_survives_being_killed(tmp_path: Path) -> None:
    check_that_nothing_was_lost(tmp_path / "data", 3)


@pytest.mark.endurance
@pytest.mark.timeout(600)
def test_what_was_answered_survives_being_killed_20_times(tmp_path: Path) -> None:
    check_that_nothing_was_lost(tmp_path / "data", 20)
