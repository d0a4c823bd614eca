"""Where the time and memory of a whole training go, and whether its bar said the truth.

    python benchmarks/training.py --data bottle/ [--photos 1000] [--memory 8] [--cpu]

Trains as `andon train` does. With --photos the OK photos are made that many: turned, moved, with other light and noise.
With --memory it plans with so many GB, as it does in a container of that size. With --cpu all seconds, the bar's too,
are of CPU time, which other programs change little.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import psutil

from andon import datasets, images, progress, recipes, resources
from andon.datasets import Dataset
from andon.teaching.train import teach
from andon.types import RgbImage
from andon.work import Work

SHARES = (0.1, 0.25, 0.5, 0.75)
TURN, SHIFT, SIZE, LIGHT, NOISE = 180.0, 6.0, 0.02, 0.05, 2.0  # degrees, pixels, shares, grey values


class Watched(Work):
    """A work that keeps what it said: seconds since it began and seconds left, and the seconds of each phase."""

    def __init__(self, *, of_cpu: bool) -> None:
        super().__init__(clock=time.process_time if of_cpu else time.monotonic)
        self.said: list[tuple[float, float]] = []
        self.spent: Counter[str] = Counter()

    def advance(self, name: str, done: float, items: float) -> None:
        before = self.said[-1][0] if self.said else 0.0
        super().advance(name, done, items)
        self.said.append((self.elapsed, self.left))
        self.spent[name] += self.elapsed - before  # type: ignore[assignment]


def main() -> None:
    """Print where the time went, the peak of memory, and what the bar said."""
    options = _options()
    if options.memory:
        resources.available_memory = lambda: max(0, int(options.memory * 2**30) - psutil.Process().memory_info().rss)
    with tempfile.TemporaryDirectory() as folder:
        dataset = datasets.read(options.data)
        if options.photos:
            dataset = _multiplied(dataset, options.photos, Path(folder))
        work = Watched(of_cpu=options.cpu)
        with progress.whole(work=work):
            taught = teach(recipes.build(options.recipe), dataset)
        total = work.elapsed
    seconds_of = "s of CPU time" if options.cpu else "s"
    print(f"{len(taught.manifest.trained.names)} photos, {total:.1f} {seconds_of}: ", end="")
    print(", ".join(f"{name} {seconds:.1f}" for name, seconds in work.spent.items()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    facts = ", ".join(f"{name} {value:.6g}" for name, value in taught.detector.facts.items())
    threshold = taught.calibration.threshold if taught.calibration else float("nan")
    print(f"peak {peak:.1f} GB; {facts}, threshold {threshold:.4f}")
    for share in SHARES:
        elapsed, left = [said for said in work.said if said[0] <= share * total][-1]
        truth = total - elapsed
        print(f"after {share:.0%}: {left:.0f} s left, in truth {truth:.0f} s: {left / truth - 1:+.0%}")


def _multiplied(dataset: Dataset, n: int, folder: Path) -> Dataset:
    """A data set of `n` OK photos made of those that there are."""
    ok: Sequence[Path] = [sample.path for sample in dataset.samples if sample.is_anomalous is False]
    draw = np.random.default_rng(0)
    for number in range(n):
        path = ok[number % len(ok)]
        image = images.load(images.read_bytes(path), path).image
        images.write(folder / "train" / "good" / f"{number:05}.png", _varied(image, draw))
    return datasets.read(folder)


def _varied(image: RgbImage, draw: np.random.Generator) -> RgbImage:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), draw.uniform(-TURN, TURN), 1 + draw.uniform(-SIZE, SIZE))
    turn[:, 2] = turn[:, 2] + draw.uniform(-SHIFT, SHIFT, 2)
    moved = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    lit = moved * (1 + draw.uniform(-LIGHT, LIGHT)) + draw.normal(0, NOISE, moved.shape)
    return np.asarray(np.clip(lit, 0, 255), dtype=np.uint8)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data set with photos to learn from")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--photos", type=int, help="make so many of its OK photos")
    parser.add_argument("--memory", type=float, help="GB to plan with, instead of what is free")
    parser.add_argument("--cpu", action="store_true", help="seconds of CPU time")
    return parser.parse_args()


if __name__ == "__main__":
    main()
