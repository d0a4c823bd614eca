"""A memory bank of shards beside one that is chosen of all photos at once.

    python benchmarks/sharded.py radii  --data DIR [--shards 4]
    python benchmarks/sharded.py models --data DIR [--shards 4]
    python benchmarks/sharded.py ray    --data DIR [--shards 4] [--workers 1 2]

`radii` embeds the OK photos once and chooses banks of them: at once, and of shards whose coresets are of several sizes.
Radii are measured over all patches. "of best" is how many times the smallest possible radius it is at most: no bank of
as many rows reaches less than half of what the greedy one does. Proven are 2 at once, and 4 merged (Malkomes et al.
2015).

`models` trains both ways, as `andon train` does, and judges the test photos. `ray` trains on clusters of this machine's
cores. All in f32, with the default recipe; --set changes it.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

import torch
from judging import judged, rates_line

from andon import datasets, engines, recipes
from andon.datasets import Dataset
from andon.detectors._coreset import coreset_and_radius
from andon.detectors._covers import Kept, cover, merged
from andon.engines.local import LocalEngine
from andon.evaluation import metrics
from andon.inference.bank_search import BankSearch
from andon.models.taught import Taught
from andon.recipes import Recipe
from andon.teaching.shards import survey, tasks
from andon.teaching.shards import teach as sharded
from andon.teaching.shards.settled import Settled
from andon.teaching.shards.shard import Member, Shard
from andon.teaching.shards.stages import Stages
from andon.teaching.train import teach

AT_ONCE = 2**16  # queries
SHARE = 0.01  # of the patches, in a bank of a given size


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["radii", "models", "ray"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    recipe, dataset = recipes.build("default", options.settings), datasets.read(options.data)
    n = sum(datasets.purpose(sample) == "train" for sample in dataset.samples)
    shard_size = math.ceil(n / options.shards)
    print(f"{options.data.name}: {n} OK photos, {options.shards} shards")
    if options.what == "radii":
        _radii(recipe, dataset, options.shards)
    elif options.what == "models":
        _models(recipe, dataset, shard_size)
    else:
        _on_ray(recipe, dataset, shard_size, options.workers)


def _radii(recipe: Recipe, dataset: Dataset, n_shards: int) -> None:
    photos = [sample.path for sample in dataset.samples if datasets.purpose(sample) == "train"]
    patches, radius = _patches(recipe, photos)
    parts = [Kept(rows, torch.arange(len(rows)), torch.empty(len(rows), 0).bool()) for rows in patches.chunk(n_shards)]
    print(f"{len(patches):,} patches; radius that the recipe asks for: {radius:.3f}")
    print(f"{'bank':36}{'kept':>8}{'rows':>8}{'radius':>8}{'at once':>9}{'of best':>9}{'seconds':>9}")
    n = round(SHARE * len(patches))
    for name, most, reach, trials in (
        ("by radius", len(patches) // 20, radius, [(1.0, 1), (0.75, 1), (0.5, 1)]),
        ("of 1 %", n, 0.0, [(1.0, 1), (1.0, 2), (1.0, 4)]),
    ):
        began = time.perf_counter()
        rows, whole = coreset_and_radius(patches, most, radius=reach)
        print(f"{f'{name}, at once':36}{'':8}{len(rows):8,}{whole:8.3f}{1:9.2f}{2:9.1f}{_since(began):9.1f}")
        for nearer, larger in trials:
            began = time.perf_counter()
            covers = [cover(part, min(larger * most, len(part.rows)), nearer * reach) for part in parts]
            made = merged(covers, most, reach)
            seconds, kept = _since(began), sum(map(len, covers))
            found = _farthest(patches, made.chosen.rows)
            how = f"shards to {nearer:g} of the radius" if reach else f"shards of {larger} times the rows"
            # a bank of other rows than the one at once is measured against the best of as many as it has
            same = whole if reach == 0 else coreset_and_radius(patches, len(made.chosen.rows))[1]
            print(
                f"{f'{name}, {how}':36}{kept:8,}{len(made.chosen.rows):8,}{found:8.3f}{found / whole:9.2f}"
                f"{2 * found / same:9.1f}{seconds:9.1f}",
                flush=True,
            )


def _patches(recipe: Recipe, photos: list[Path]) -> tuple[torch.Tensor, float]:
    """All patches, and the radius that the recipe asks for."""
    from andon import backbones, detectors

    members, stages = [Member(photo) for photo in photos], Stages(LocalEngine())
    backbone = backbones.create(recipe.backbone)
    settled = Settled(detectors.configured(recipe), None, backbones.fingerprint(backbone))
    found = survey.surveyed(survey.settled_steps(settled, members, stages, frozenset()), members, stages)
    return tasks.patches(Shard(0, 0, tuple(members)), found.settled).patches, found.radius


def _models(recipe: Recipe, dataset: Dataset, shard_size: int) -> None:
    began = time.perf_counter()
    _judge("at once", teach(recipe, dataset, precision="f32"), dataset, began)
    began = time.perf_counter()
    model = sharded.teach(recipe, dataset, LocalEngine(), shard_size=shard_size, precision="f32")
    _judge("in shards", model, dataset, began)


def _on_ray(recipe: Recipe, dataset: Dataset, shard_size: int, workers: list[int]) -> None:
    for n in workers:
        os.environ["ANDON_THREADS"] = str(n)
        with engines.opened("ray") as engine:
            began = time.perf_counter()
            model = sharded.teach(recipe, dataset, engine, shard_size=shard_size, precision="f32")
            _judge(f"Ray, {n} worker{'s' if n > 1 else ''}", model, dataset, began)


def _judge(name: str, model: Taught, dataset: Dataset, began: float) -> None:
    seconds, facts = _since(began), model.manifest.facts
    tested = [sample for sample in dataset.samples if datasets.purpose(sample) == "test"]
    results = judged(model, tested)
    auroc = metrics.measure("image_auroc", results).value
    assert model.calibration is not None
    print(
        f"{name:16}{facts['bank_rows']:8,.0f} rows, radius {facts['bank_radius']:.3f}, AUROC {auroc:.4f}, threshold "
        f"{model.calibration.threshold:.3f}, {rates_line(results)}, {seconds:.1f} s",
        flush=True,
    )


def _farthest(patches: torch.Tensor, bank: torch.Tensor) -> float:
    search = BankSearch(bank.numpy())
    return max(float(search.nearest(part.numpy())[0].max()) for part in torch.split(patches, AT_ONCE))


def _since(began: float) -> float:
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
