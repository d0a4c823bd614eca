"""The server beside the same model in process: photos per second, how long an answer takes, and memory.

    python benchmarks/serve.py --model part.andon --photos part/test [--per-turn 200] [--turns 3] [--total 5000]

The server is a process of its own with an empty data folder. In every turn, this process first goes through as many
photos as 1, 4 and 16 clients then send: all at once (`inspect_batch`, the photos per second that a ratio is of), and
one by one, as a client does that waits for each answer. No photo is sent twice: each has its number as a remark in its
file, so that the server keeps it as it would at a line. The fastest turn counts as throughput; latencies are of all.
At half load, photos come at half of what 16 clients reached, evenly or at random times (Poisson), and a latency begins
when the photo was due. Clients are threads of this process; the CPU time they take from the server's cores is shown.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import queue
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import numpy as np
import psutil

from andon.images import is_image
from andon.line.pipeline import Pipeline
from andon.models.load import load
from andon.server.demo import PHOTOS, prepare
from andon.types import Inspection

CLIENTS = (1, 4, 16)
MOST = CLIENTS[-1]
FIRST = 100
"""Photos after which memory is read for the first time."""
SECONDS_TO_START = 120
PNG_END = 12
"""Bytes of a PNG's last chunk."""


@dataclass(frozen=True)
class Run:
    """Some photos through the model.

    Attributes:
        latencies: seconds, one per photo.
        cpu: seconds of CPU time of whoever judged.
        client_cpu: seconds of CPU time of whoever sent.
    """

    seconds: float
    latencies: list[float]
    cpu: float
    client_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Photos per second."""
        return len(self.latencies) / self.seconds

    def milliseconds(self, share: float) -> float:
        """The latency that this share of the photos stays below."""
        return 1000 * float(np.quantile(self.latencies, share))


class Sent:
    """Sends photos to a server, each a new one."""

    def __init__(self, url: str, server: psutil.Process, photos: Sequence[Path]) -> None:
        self._address = urlsplit(url).netloc
        self._server = server
        self._photos = [photo.read_bytes() for photo in photos]
        self.count = 0

    def run(self, due: Sequence[float], clients: int) -> Run:
        """Send photos, each as soon as it is due and a client is free.

        Args:
            due: seconds from the beginning, ascending; 0 for at once, where a latency begins with sending.
        """
        waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        for when in due:
            photo = self._photos[self.count % len(self._photos)]
            waiting.put((when, _numbered(photo, self.count)))
            self.count += 1
        cpu, began = _cpu(self._server), time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            futures = [pool.submit(self._client, waiting, began) for _ in range(clients)]
            results = [future.result() for future in futures]
        seconds = time.perf_counter() - began
        latencies = [latency for found, _ in results for latency in found]
        return Run(seconds, latencies, _cpu(self._server) - cpu, sum(cost for _, cost in results))

    def _client(self, waiting: queue.SimpleQueue[tuple[float, bytes]], began: float) -> tuple[list[float], float]:
        """Send what is waiting; the latencies, and the CPU time that this thread took."""
        connection, latencies = http.client.HTTPConnection(self._address), []
        with suppress(queue.Empty):
            while True:
                due, photo = waiting.get_nowait()
                time.sleep(max(0.0, began + due - time.perf_counter()))
                sent = began + due if due else time.perf_counter()
                connection.request("POST", "/v1/inspect", body=photo)
                response = connection.getresponse()
                answer = response.read()
                latencies.append(time.perf_counter() - sent)
                if response.status != 200 or b'"verdict":"error"' in answer:
                    raise SystemExit(answer.decode())
        connection.close()
        return latencies, time.thread_time()


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        model, photos = options.model, options.photos
        if model is None:
            model = prepare(data, print)
            photos = photos or model.parent / PHOTOS / "test"
        if photos is None:
            raise SystemExit("Give the photos to send with --photos DIR.")
        files = sorted(path for path in photos.rglob("*") if is_image(path))
        pipeline = load(model)
        with _server(model, data / "station") as (url, process):
            _measure(pipeline, files, Sent(url, process, files), process, options)


def _measure(
    pipeline: Pipeline, files: Sequence[Path], sent: Sent, process: psutil.Process, options: argparse.Namespace
) -> None:
    """All of it, and print it as it comes."""
    several = [path for path, _ in zip(itertools.cycle(files), range(options.per_turn), strict=False)]
    at_once = [0.0] * options.per_turn
    sent.run([0.0] * FIRST, MOST)
    after_first = process.memory_info().rss
    _in_process(pipeline, several[:FIRST])
    turns = [
        [
            _in_process(pipeline, several),
            _one_by_one(pipeline, several),
            *(sent.run(at_once, clients) for clients in CLIENTS),
        ]
        for _ in range(options.turns)
    ]
    own, alone, *served = [_together(runs) for runs in zip(*turns, strict=True)]
    print(f"{len(several)} photos per run, {options.turns} turns", flush=True)
    print(f"{'':<24}{'photos/s':>9}{'ratio':>7}{'p50':>8}{'p95':>8}{'p99':>8} ms{'CPU ms':>8}{'of clients':>11}")
    print(f"{'in process':<24}{own.rate:>9.1f}{1:>7.2f}{'':>27}{_each(own.cpu, own):>8.1f}")
    print(_line("in process, one by one", alone, own))
    for clients, run in zip(CLIENTS, served, strict=True):
        beside = f"  {run.rate / alone.rate:.2f} of one by one" if clients == 1 else ""
        print(_line(f"{clients} clients" if clients > 1 else "1 client", run, own), beside, flush=True)
    rate = served[-1].rate / 2
    for name, due in _half_load(rate, options.turns * options.per_turn).items():
        run = sent.run(due, MOST)
        tail = run.milliseconds(0.99) / run.milliseconds(0.5)
        print(_line(f"half load, {name}", run, own), f"  p99 = {tail:.1f} x p50", flush=True)
    if (rest := options.total - sent.count) > 0:
        sent.run([0.0] * rest, MOST)
    now = process.memory_info().rss
    print(
        f"memory: {after_first / 1e6:.0f} MB after {FIRST} photos, {now / 1e6:.0f} MB after {sent.count} "
        f"({now / after_first - 1:+.1%})"
    )


def _in_process(pipeline: Pipeline, photos: Sequence[Path]) -> Run:
    """The same model on the same photos without a server; latencies are unknown."""
    cpu, started = time.process_time(), time.perf_counter()
    results = list(pipeline.inspect_batch(photos))
    seconds = time.perf_counter() - started
    if not all(isinstance(result, Inspection) for result in results):
        raise SystemExit(f"A photo cannot be inspected: {results}")
    return Run(seconds, [float("nan")] * len(results), time.process_time() - cpu)


def _one_by_one(pipeline: Pipeline, photos: Sequence[Path]) -> Run:
    """The same without a server, each photo after the verdict on the one before."""
    cpu, started, latencies = time.process_time(), time.perf_counter(), []
    for photo in photos:
        began = time.perf_counter()
        pipeline.inspect(photo)
        latencies.append(time.perf_counter() - began)
    return Run(time.perf_counter() - started, latencies, time.process_time() - cpu)


def _together(runs: Sequence[Run]) -> Run:
    """The fastest turn, with the latencies of all: as many seconds as these would have taken at its rate."""
    best = min(runs, key=lambda run: run.seconds)
    latencies = [latency for run in runs for latency in run.latencies]
    turns = len(runs)
    return Run(best.seconds * turns, latencies, best.cpu * turns, best.client_cpu * turns)


def _numbered(photo: bytes, number: int) -> bytes:
    """The same pixels in a file of its own, which is decoded in the same way."""
    remark = f"number\0{number}".encode()
    if photo.startswith(b"\x89PNG"):
        chunk = b"tEXt" + remark
        chunk = len(remark).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4)
        return photo[:-PNG_END] + chunk + photo[-PNG_END:]
    if photo.startswith(b"\xff\xd8"):
        return photo[:2] + b"\xff\xfe" + (len(remark) + 2).to_bytes(2) + remark + photo[2:]
    return photo + remark


def _half_load(rate: float, photos: int) -> dict[str, list[float]]:
    """When photos are due: one after the other, or independently of each other."""
    generator = np.random.default_rng(0)
    evenly = (np.arange(photos) + 1) / rate
    return {"evenly": evenly.tolist(), "Poisson": np.cumsum(generator.exponential(1 / rate, photos)).tolist()}


def _line(name: str, run: Run, own: Run) -> str:
    latencies = "".join(f"{run.milliseconds(share):>8.0f}" for share in (0.5, 0.95, 0.99))
    return (
        f"{name:<24}{run.rate:>9.1f}{run.rate / own.rate:>7.2f}{latencies}   {_each(run.cpu, run):>8.1f}"
        f"{_each(run.client_cpu, run):>11.1f}"
    )


def _each(seconds: float, run: Run) -> float:
    """Milliseconds per photo."""
    return 1000 * seconds / len(run.latencies)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _server(model: Path, data: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server on a free port: its address and its process."""
    command = [sys.executable, "-m", "andon", "serve", str(model), "--data", str(data), "--port", "0"]
    command += ["--deadline", str(SECONDS_TO_START)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield _address(process), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(SECONDS_TO_START)


def _address(process: subprocess.Popen[str]) -> str:
    """What the server says once it listens; all it says later is shown."""
    assert process.stderr is not None
    for line in process.stderr:
        if " at http" in line:
            Thread(target=_show, args=(process.stderr.readline,), daemon=True).start()
            return line.split(" at ")[1].split()[0]
        print(line, end="", file=sys.stderr)
    raise SystemExit("The server did not start; see above.")


def _show(read_line: Callable[[], str]) -> None:
    for line in iter(read_line, ""):
        print(line, end="", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="of andon train or andon export; drawn fasteners if left out")
    parser.add_argument("--photos", type=Path, help="a folder of photos to send")
    parser.add_argument("--per-turn", type=int, default=200, help="photos in each run")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--total", type=int, default=0, help="go on until so many were sent, for the memory")
    return parser.parse_args()


if __name__ == "__main__":
    main()
