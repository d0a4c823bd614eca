"""Whether `andon batch` keeps its promise in a store: killed again and again, twice at once, held against `inspect`.

    python benchmarks/stores.py MODEL PHOTOS s3://bucket/folder [--kills 6]

PHOTOS is a folder on this computer. It is copied into a new folder of the store, which is left there; the verdicts are
written beside it. The store's address and credentials are taken as by `andon batch`. Three things are tried:

- of many threads in several processes that create the same files at once, one gets each;
- a batch whose workers and program are killed (SIGKILL) at random moments, and which is begun again, has one row for
  each photo, with the verdict and the score of `andon inspect`;
- two runs of one command at once share the work: each shard is inspected once.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
from pyarrow import parquet

from andon.batch.place import Place
from andon.images import is_image

THREADS, PROCESSES, FILES = 4, 2, 50
OF_THE_PROGRAM = 0.3  # the share of kills
Expected = Mapping[str, tuple[str, float]]


def main() -> None:
    options = _options()
    top = f"{options.store.rstrip('/')}/tried-{uuid.uuid4().hex[:8]}"
    print(top, flush=True)
    print(_created_once(top), flush=True)
    expected = _inspected(options.model, options.photos)
    _copy(options.photos, f"{top}/photos")
    begin = [sys.executable, "-m", "andon", "batch", str(options.model), f"{top}/photos", "--workers", "2"]
    begin += ["--cores", "1", "--shard", str(options.shard), "--memory", "1.5", "-o"]
    killed = _survive([*begin, f"{top}/killed"], options.kills, options.between, random.Random(options.seed))
    _check(f"{top}/killed", f"{top}/photos", expected)
    print(f"{killed}: {len(expected)} rows of {len(expected)} photos, each as of andon inspect", flush=True)
    _together([*begin, f"{top}/together"])
    attempts = _check(f"{top}/together", f"{top}/photos", expected)
    print(f"two at once: {len(expected)} rows; shards by attempt: {dict(attempts)}", flush=True)


def _created_once(top: str) -> str:
    """Raises:
    SystemExit: two created the same file.
    """
    start = time.time() + 5  # when all processes have begun
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        found = pool.map(_create, [top] * PROCESSES, [start] * PROCESSES)
        created = Counter(name for names in found for name in names)
    if set(created.values()) != {1} or len(created) != FILES:
        twice = sum(n > 1 for n in created.values())
        raise SystemExit(f"Of {FILES} files {twice} were created more than once, {FILES - len(created)} by nobody.")
    return f"{FILES} files, each created by one of {PROCESSES * THREADS} threads in {PROCESSES} processes"


def _create(top: str, start: float) -> list[str]:
    """The files that this process created."""
    place, created = Place.at(top), list[str]()
    barrier = threading.Barrier(THREADS)

    def create(_: int) -> None:
        time.sleep(max(0.0, start - time.time()))
        for file in range(FILES):
            barrier.wait()
            if place.create(f"created/{file}", uuid.uuid4().bytes):
                created.append(str(file))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(create, range(THREADS)))
    return created


def _copy(folder: Path, url: str) -> None:
    place = Place.at(url)
    for path in (path for path in sorted(folder.rglob("*")) if is_image(path)):
        name = path.relative_to(folder).as_posix()
        place.make_folder(name.rpartition("/")[0])
        place.write(name, path.read_bytes())


def _survive(command: list[str], kills: int, between: float, draw: random.Random) -> str:
    """Kill until it has been killed often enough, and let it end."""
    killed = Counter[str]()
    while True:
        with subprocess.Popen(command) as program:
            while program.poll() is None and killed.total() < kills:
                with suppress(subprocess.TimeoutExpired):
                    program.wait(draw.expovariate(1 / between))
                    break
                victim = "program" if draw.random() < OF_THE_PROGRAM else "worker"
                killed[victim] += _kill(program, victim, draw)
        if program.returncode == 0:
            return f"{killed['worker']} workers killed, the program {killed['program']} times"
        if program.returncode > 0:
            raise SystemExit(f"It ended with {program.returncode}.")


def _kill(program: subprocess.Popen[bytes], victim: str, draw: random.Random) -> bool:
    """Kill one, if somebody works already."""
    with suppress(psutil.Error):
        below = psutil.Process(program.pid).children(recursive=True)
        workers = [process for process in below if "spawn_main" in " ".join(process.cmdline())]
        if workers:
            (program if victim == "program" else draw.choice(workers)).kill()
            return True
    return False


def _together(command: list[str]) -> None:
    programs = [subprocess.Popen(command) for _ in range(2)]
    if codes := [code for program in programs if (code := program.wait())]:
        raise SystemExit(f"Of two at once {len(codes)} ended with {codes[0]}.")


def _inspected(model: Path, photos: Path) -> Expected:
    """Verdict and score of each photo, by its path below the folder."""
    command = [sys.executable, "-m", "andon", "inspect", str(model), str(photos), "--json"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return _by_name([json.loads(line) for line in ran.stdout.splitlines()], str(photos))


def _check(out: str, photos: str, expected: Expected) -> Counter[int]:
    """At which attempts its shards were done, once it is certain that its rows are right."""
    place = Place.at(out)
    files = [parquet.ParquetFile(io.BytesIO(place.read(f"parts/{name}"))) for name in place.names("parts")]
    rows = [row for file in files for row in file.read().to_pylist()]
    found = _by_name(rows, photos)
    if not len(rows) == len(found) == len(expected):
        raise SystemExit(f"{len(rows)} rows of {len(found)} paths, for {len(expected)} photos.")
    if other := [name for name, judged in expected.items() if found.get(name) != judged]:
        raise SystemExit(f"{len(other)} rows differ from those of andon inspect, such as {other[0]}.")
    if left := place.names("locks"):
        raise SystemExit(f"{left[0]} is left in locks/.")
    return Counter(json.loads(file.schema_arrow.metadata[b"andon"])["attempt"] for file in files)


def _by_name(rows: list[dict[str, Any]], folder: str) -> dict[str, tuple[str, float]]:
    return {row["path"].removeprefix(folder).lstrip("/"): (row["verdict"], round(row["score"], 4)) for row in rows}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("store", help="URL of a folder, or a bucket, that is there")
    parser.add_argument("--shard", type=int, default=8)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--between", type=float, default=6.0, help="seconds between two kills, on average")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    return parser.parse_args()


if __name__ == "__main__":
    main()
