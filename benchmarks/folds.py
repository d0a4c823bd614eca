"""What cross-validation adds to training a memory bank, in one run.

    python benchmarks/folds.py --data DIR [--repeats 3]

Alone: the OK photos are read, embedded, and the memory bank is chosen. With folds: the same, and each photo is scored
by one of five models that have not seen it. Both take turns, in wall time and in CPU time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from andon import backbones, datasets, detectors, recipes
from andon.images import OpenedPhotos
from andon.teaching.fitting import Fitting
from andon.teaching.photos import Frames, settle_steps


def main() -> None:
    """Print a line for each repeat."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"{options.data} is missing, so nothing was measured.")
        return
    recipe = detectors.configured(recipes.build(options.recipe))
    samples = datasets.read(options.data).samples
    duplicates = datasets.find_duplicates(samples)
    parts = datasets.split(samples, recipe.training.seed, duplicates.keep_together)
    if not parts.folds:
        print(f"{options.data} has a calibration split, so there are no folds to measure.")
        return
    backbone = backbones.create(recipe.backbone)

    def fitting() -> Fitting:
        opened = OpenedPhotos()
        settled = replace(recipe, steps=settle_steps(recipe.steps, [s.path for s in parts.train], opened))
        return Fitting(settled, backbone, (), "auto", Frames(settled.steps.values(), opened))

    bare = replace(parts, folds=())
    fitting().with_folds(parts)  # compiles what is compiled once
    for _ in range(options.repeats):
        alone, with_folds = _timed(lambda: fitting().with_folds(bare)), _timed(lambda: fitting().with_folds(parts))
        wall, cpu = (b / a for a, b in zip(alone, with_folds, strict=True))
        print(
            f"{len(parts.train)} photos: alone {alone[0]:.1f} s, with {len(parts.folds)} folds {with_folds[0]:.1f} s; "
            f"{wall:.2f} times the wall time, {cpu:.2f} times the CPU time"
        )


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
