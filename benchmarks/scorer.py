"""The scorer (network, embedding, search, image score) against its network alone in OpenVINO, on a batch of 8 photos.

Beside the scorer of a model stands that of the same model exported, whose network was made for photos of any size.

    python benchmarks/scorer.py --photos bottle/train/good --resnet18 resnet18.safetensors

The banks are drawn by chance from the photos' own patches, 256 dimensions; photos that gave none are scored. Networks
without a file have random weights, which cost as much time as others. Network and scorer take turns, and the fastest
turn of each counts; the CPU time, of all threads together, is what to look at where other work shares the cores.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch

from andon import backbones, images
from andon.backbones import Backbone, BackboneConfig
from andon.detectors import Detector
from andon.detectors._threads import over_cores
from andon.detectors.patchcore import PatchCore, PatchCoreConfig
from andon.line.pipeline import to_batch
from andon.models.exported import ANY_SIZE, StoredGraphs
from andon.preprocess.resize import Resize
from andon.scorers.choose import fastest_scorer
from andon.scorers.compiled_backbone import CompiledBackbone
from andon.scorers.convert import as_files, converted
from andon.scorers.graph import GraphScorer
from andon.scorers.precision import settle
from andon.teaching.photos import to_tensors
from andon.types import Frame, Precision

BATCH = 8
TURNS = 5
NETWORKS = ("resnet18", "wide_resnet50_2")
ROWS = (5_500, 33_000)
AIMS = {("resnet18", 5_500): 3.0, ("resnet18", 33_000): 8.0}
AIMS |= {("wide_resnet50_2", 5_500): 1.5, ("wide_resnet50_2", 33_000): 3.0}


class Cost(NamedTuple):
    """Milliseconds per photo: elapsed, and of CPU time."""

    ms: float
    cpu_ms: float


@torch.inference_mode()
def compare_with_network(
    detector: Detector[Any], frames: Sequence[Frame], precision: Precision
) -> tuple[Cost, Cost, Cost]:
    """What the network alone costs, the whole scorer, and the exported one, with a core for each photo."""
    compiled = CompiledBackbone(detector.backbone, precision, streams=torch.get_num_threads())
    scorer = fastest_scorer(detector, len(frames), precision)
    exported = _exported(detector, scorer.precision, len(frames))
    batch, photos = to_batch(frames), list(torch.split(to_tensors(frames)[0], 1))

    def network() -> None:
        over_cores(compiled, photos)

    works = (network, lambda: scorer(*batch), lambda: exported(*batch))
    turns = [[_cost(work, len(frames)) for work in works] for _ in range(TURNS + 1)][1:]
    alone, ours, without_torch = (_cheapest(list(costs)) for costs in zip(*turns, strict=True))
    return alone, ours, without_torch


def _exported(detector: Detector[Any], precision: str, batch_size: int) -> GraphScorer:
    network, memory = converted(detector, None), detector.memory()
    assert network is not None and memory is not None
    source = StoredGraphs({ANY_SIZE: as_files(network)}, "", memory.bank.shape[1])
    return GraphScorer(source, memory.with_neighbours(), precision, batch_size)


def _cost(work: Callable[[], Any], photos: int) -> Cost:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(1000 * (time.perf_counter() - start) / photos, 1000 * (time.process_time() - cpu) / photos)


def _cheapest(costs: list[Cost]) -> Cost:
    return Cost(min(cost.ms for cost in costs), min(cost.cpu_ms for cost in costs))


def main() -> None:
    options = _options()
    results = [result for name in NETWORKS for result in _measure(name, options)]
    if options.json:
        print(json.dumps(results))
        return
    print(f"{torch.get_num_threads()} threads, {settle('auto')}, batch of {BATCH}, per photo; memory of this process")
    print(
        f"{'network':<18}{'bank':>8}{'network':>10}{'scorer':>10}{'exported':>10}{'ratio':>8}{'CPU':>8}{'ratio':>8}{'aim':>6}{'MB':>7}"
    )
    for result in results:
        print(
            f"{result['network']:<18}{result['rows']:8,}{result['network_ms']:10.1f}{result['scorer_ms']:10.1f}{result['exported_ms']:10.1f}"
            f"{result['ratio']:7.2f}x{result['scorer_cpu_ms']:8.1f}{result['cpu_ratio']:7.2f}x{result['aim']:5.1f}x"
            f"{result['memory_mb']:7.0f}"
        )


def _measure(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    weights = vars(options)[name]
    config = BackboneConfig(name=name, weights=None if weights is None else str(weights))
    torch.manual_seed(0)
    backbone = backbones.create(config, pretrained=False)
    frames = _photos(options.photos, options.size)
    results = []
    for rows in ROWS:
        detector = _with_bank(backbone, frames[BATCH:], rows)
        network, scorer, exported = compare_with_network(detector, frames[:BATCH], settle("auto"))
        results.append(
            {
                "network": name,
                "random_weights": weights is None,
                "rows": rows,
                "network_ms": network.ms,
                "network_cpu_ms": network.cpu_ms,
                "scorer_ms": scorer.ms,
                "exported_ms": exported.ms,
                "scorer_cpu_ms": scorer.cpu_ms,
                "ratio": scorer.ms / network.ms,
                "cpu_ratio": scorer.cpu_ms / network.cpu_ms,
                "aim": AIMS[name, rows],
                "memory_mb": psutil.Process().memory_info().rss / 1e6,
            }
        )
    return results


def _photos(folder: Path, size: int) -> list[Frame]:
    """BATCH photos to score, and as many more as the largest bank needs patches from."""
    patches = (size // 8) ** 2
    paths = images.walk_folder(folder).photos[: BATCH + -(-max(ROWS) // patches)]
    if len(paths) * patches < max(ROWS) + BATCH * patches:
        raise SystemExit(f"{folder} has too few photos for a bank of {max(ROWS)} rows.")
    steps = Resize(image_size=size)
    return [steps(Frame.whole(images.read(path))) for path in paths]


@torch.inference_mode()
def _with_bank(backbone: Backbone, frames: Sequence[Frame], rows: int) -> PatchCore:
    """PatchCore with a bank of `rows` of the photos' patches."""
    detector = PatchCore(PatchCoreConfig(), backbone)
    tensor = to_tensors(frames)[0]
    roi = torch.ones(1, *tensor.shape[2:], dtype=torch.bool)
    detector.fit([(tensor[:1], roi)], seed=0)  # the projection; its bank is replaced
    patches = torch.cat(
        [detector._embed(photo, roi).permute(0, 2, 3, 1).flatten(0, 2) for photo in torch.split(tensor, 1)]
    )
    detector.bank_ = patches[torch.randperm(len(patches), generator=torch.Generator().manual_seed(0))[:rows]]
    detector.origin_ = torch.zeros(rows, 3)
    return detector


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of 41 photos or more")
    parser.add_argument("--size", type=int, default=256, help="side that photos are resized to")
    for name in NETWORKS:
        parser.add_argument(f"--{name}", type=Path, help="its weights; random ones if left out")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
