"""`andon batch` beside `andon inspect` on the same drawn photos and cores; and what is left when it is killed again and
again.

    python benchmarks/batch.py --data drawn [--photos 10000] [--cores 1,2] [--engines local,ray] [--kills 20]

The photos, nuts, bolts and screws of 384 x 512 pixels, are drawn into --data once and kept there, and so is a model of
them. Each run is a program of its own on as many cores as it may use, one worker per core; its time is that from start
to end, with all that starts and stops, the summary page too. Efficiency is the share of what the same cores reach with
`andon inspect`.

With --kills, a batch is begun instead, and at random moments a worker, or now and then the program itself, is killed
at once (SIGKILL). A program that was killed is started again, with whatever engine comes first. In the end every photo
must have one row, with the verdict of `andon inspect`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from pyarrow import parquet

from andon import datasets, recipes
from andon.drawn.fasteners import draw_fasteners
from andon.export.export import export
from andon.images import is_image
from andon.teaching.train import teach

N_TRAIN, N_CALIBRATION = 24, 14
SETTINGS = ("steps.resize.image_size=256",)
GB = "1.5"
OF_THE_PROGRAM = 0.2  # the share of kills
SECONDS_BETWEEN_KILLS = 12.0  # on average, so that something is done in between


def main() -> None:
    options = _options()
    model, photos = _prepare(options.data, options.photos)
    print(f"{_processor()}: {len(photos)} photos; python {' '.join(sys.argv)}", flush=True)
    if options.kills:
        _survive(options, model, photos)
    else:
        _compare(options, model, photos)


def _compare(options: argparse.Namespace, model: Path, photos: Sequence[Path]) -> None:
    """Print a table of photos per second, as it comes."""
    print(f"{'':<20}{'cores':>6}{'seconds':>9}{'photos/s':>10}{'efficiency':>12}", flush=True)
    for cores in options.cores:
        expected, seconds = _inspected(model, options.data, cores)
        alone = len(photos) / seconds
        print(f"{'andon inspect':<20}{cores:>6}{seconds:>9.1f}{alone:>10.1f}{1:>12.0%}", flush=True)
        for engine in options.engines:
            out = _new(options.data / "out")
            started = time.perf_counter()
            with _on(cores):
                subprocess.run(_batch(model, options, out, engine, cores), check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - started
            _check(out, photos, expected)
            rate = len(photos) / seconds
            print(f"{'batch, ' + engine:<20}{cores:>6}{seconds:>9.1f}{rate:>10.1f}{rate / alone:>12.0%}", flush=True)


def _survive(options: argparse.Namespace, model: Path, photos: Sequence[Path]) -> None:
    """Kill until it has been killed often enough, let it end, and count."""
    cores, draw = max(options.cores), random.Random(options.seed)
    expected, _ = _inspected(model, options.data, cores)
    out, killed = _new(options.data / "out"), Counter[str]()
    while True:
        engine = draw.choice(options.engines)
        with _on(cores), subprocess.Popen(_batch(model, options, out, engine, cores)) as program:
            while program.poll() is None and killed.total() < options.kills:
                with suppress(subprocess.TimeoutExpired):
                    program.wait(draw.expovariate(1 / options.between))
                    break
                victim = "program" if draw.random() < OF_THE_PROGRAM else "worker"
                if _kill(program, victim, draw):
                    killed[f"{engine} {victim}"] += 1
                    print(f"{killed.total():>3} {engine} {victim}, {len(_parts(out))} parts done", flush=True)
        if program.returncode == 0:
            break
    rows = _check(out, photos, expected)
    print(f"{killed.total()} kills: {', '.join(f'{n} {what}' for what, n in killed.items())}")
    print(f"{rows} rows of {len(photos)} photos, no path twice, all verdicts those of andon inspect")
    if killed.total() < options.kills:
        raise SystemExit("It was done before it was killed so often: give more --photos, or less --between.")


def _kill(program: subprocess.Popen[bytes], victim: str, draw: random.Random) -> bool:
    """Kill one, if somebody works already."""
    with suppress(psutil.Error):
        workers = [p for p in psutil.Process(program.pid).children(recursive=True) if _works(p)]
        if workers:
            (program if victim == "program" else draw.choice(workers)).kill()
            return True
    return False


def _works(process: psutil.Process) -> bool:
    """Whether it inspects."""
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "MapWorker" in words or "spawn_main" in words


def _check(out: Path, photos: Sequence[Path], expected: dict[str, str]) -> int:
    """How many rows there are, once it is certain that they are right."""
    rows = [r for part in _parts(out) for r in parquet.read_table(part, columns=["path", "verdict"]).to_pylist()]
    found = {row["path"]: row["verdict"] for row in rows}
    if not len(rows) == len(found) == len(photos):
        raise SystemExit(f"{len(rows)} rows of {len(found)} paths, for {len(photos)} photos.")
    if other := sum(found[path] != verdict for path, verdict in expected.items()):
        raise SystemExit(f"{other} verdicts differ from those of andon inspect.")
    return len(rows)


def _inspected(model: Path, data: Path, cores: int) -> tuple[dict[str, str], float]:
    """The verdicts of `andon inspect` by path, and the seconds that it took."""
    command = [sys.executable, "-m", "andon", "inspect", str(model), str(_photos_of(data)), "--json"]
    started = time.perf_counter()
    with _on(cores):
        ran = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - started
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return {row["path"]: row["verdict"] for row in rows}, seconds


def _batch(model: Path, options: argparse.Namespace, out: Path, engine: str, workers: int) -> list[str]:
    command = [sys.executable, "-m", "andon", "batch", str(model), str(_photos_of(options.data)), "-o", str(out)]
    command += ["--engine", engine, "--workers", str(workers), "--cores", "1", "--memory", GB]
    return command if options.shard is None else [*command, "--shard", str(options.shard)]


@contextmanager
def _on(cores: int) -> Iterator[None]:
    """What is started in the block has so many cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _prepare(data: Path, n: int) -> tuple[Path, list[Path]]:
    """The model and the photos to inspect."""
    learn, model = data / "learn", data / "fasteners.andon"
    if not model.exists():
        draw_fasteners(learn, n_train=N_TRAIN, n_calibration=N_CALIBRATION, n_test=0)
        export(teach(recipes.build("default", list(SETTINGS)), datasets.read(learn)), model, keep_photos=False)
    photos = _photos_of(data)
    if len(_images(photos)) != n:
        shutil.rmtree(photos, ignore_errors=True)
        draw_fasteners(photos.parent, n_train=0, n_calibration=0, n_test=n, seed=1)
    return model, _images(photos)


def _photos_of(data: Path) -> Path:
    return data.absolute() / "inspect" / "test"


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if is_image(path))


def _parts(out: Path) -> list[Path]:
    return sorted((out / "parts").glob("*.parquet"))


def _new(out: Path) -> Path:
    shutil.rmtree(out, ignore_errors=True)
    return out


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{os.cpu_count()} x {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} cores"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder for photos, model and verdicts")
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--cores", type=_numbers, default=[1, 2], help="and workers, of each run, with commas")
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["local", "ray"])
    parser.add_argument("--shard", type=int, help="photos per part, as of andon batch")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--between", type=float, default=SECONDS_BETWEEN_KILLS, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
