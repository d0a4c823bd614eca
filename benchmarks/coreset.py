"""The coreset against the plain loop and anomalib's, side by side in one run.

    python benchmarks/coreset.py --n 100000 --dim 256 --ratio 0.1 --peer
    python benchmarks/coreset.py --photos DIR

The plain loops cost the same for each centre: they are timed on a few and scaled to all, and the table says so.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import peer
import torch
from torch import Tensor

from andon import backbones, images
from andon.detectors._coreset import greedy_coreset
from andon.detectors._embedding import embed, random_orthogonal

CENTRES_TIMED = 100
SAMPLE = 4000


def main() -> None:
    options = _options()
    features = _photo_features(options) if options.photos else _clusters(options)
    n = round(options.ratio * len(features))
    greedy_coreset(features[:2000], 200)  # libraries load what they load on their first call
    indices, ours = _timed(lambda: greedy_coreset(features, n))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    few = min(n, CENTRES_TIMED)
    plain = min(_plain_seconds(features, few, threads) for threads in {1, torch.get_num_threads()})
    result: dict[str, Any] = {
        "points": len(features),
        "dim": features.shape[1],
        "centres": n,
        "threads": torch.get_num_threads(),
        "ours_s": ours,
        "plain_s": plain * n / few,
        "ratio": plain * n / few / ours,
        "plain_centres_timed": few,
        "same_indices": _same_indices(features, indices),
        "peak_memory_mb": memory / 2**20,
        "features_mb": features.nbytes / 2**20,
        "peer_s": None,
    }
    if options.peer:
        result |= _peer(features, n, options.peer_python)
    print(json.dumps(result) if options.json else _table(result))


def plain_float32(features: Tensor) -> Iterator[int]:
    """The plain loop at its fastest: one matrix-vector product per centre."""
    norms = features.square().sum(1)
    nearest = torch.full((len(features),), torch.inf)
    best = 0
    while True:
        yield best
        torch.minimum(nearest, torch.mv(features, features[best]).mul_(-2).add_(norms).add_(norms[best]), out=nearest)
        nearest[best] = -torch.inf
        best = int(nearest.argmax())


def plain_float64(features: Tensor) -> Iterator[int]:
    """The plain loop as exact as it gets, to compare indices with."""
    points = features.double().numpy()
    parts = np.array_split(points, max(1, len(points) // 1000))  # of a size that stays in the cache
    nearest = np.full(len(points), np.inf)
    best = 0
    while True:
        yield best
        distances = np.concatenate([((part - points[best]) ** 2).sum(axis=1) for part in parts])
        nearest = np.minimum(nearest, distances)
        nearest[best] = -np.inf
        best = int(nearest.argmax())


def _plain_seconds(features: Tensor, centres: int, threads: int) -> float:
    """With one thread it is sometimes faster: on a busy machine, threads wait for each other at every centre."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    _, seconds = _timed(lambda: list(islice(plain_float32(features), centres)))
    torch.set_num_threads(before)
    return seconds


def _same_indices(features: Tensor, indices: Tensor) -> bool:
    """The first centres of all points, and all centres of some points, against the plain loop in float64."""
    few = min(len(indices), CENTRES_TIMED)
    sample = features[torch.linspace(0, len(features) - 1, min(SAMPLE, len(features))).long()]
    n = max(1, len(sample) // 10)
    first = indices[:few].tolist() == list(islice(plain_float64(features), few))
    return first and greedy_coreset(sample, n).tolist() == list(islice(plain_float64(sample), n))


def _peer(features: Tensor, n: int, python: Path) -> dict[str, float]:
    """anomalib's seconds for the same features, in its own environment."""
    if not python.exists():
        print(f"anomalib is left out: {python} is missing; `make bench-peer` builds its environment.", file=sys.stderr)
        return {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "features.npy"
        np.save(file, features.numpy())
        answer = peer.ask(python, "peer_coreset.py", file, n)
    return {"peer_s": answer["seconds"], "peer_centres_timed": answer["centres_timed"]}


def _clusters(options: argparse.Namespace) -> Tensor:
    """Vectors in 200 Gaussian clusters of unequal width."""
    generator = torch.Generator().manual_seed(options.seed)
    centres = torch.randn(200, options.dim, generator=generator)
    width = 0.1 + 0.4 * torch.rand(200, 1, generator=generator)
    cluster = torch.randint(200, (options.n,), generator=generator)
    return centres[cluster] + width[cluster] * torch.randn(options.n, options.dim, generator=generator)


@torch.inference_mode()
def _photo_features(options: argparse.Namespace) -> Tensor:
    """The patches of photos as PatchCore's memory bank sees them, `--n` at most, in the photos' order."""
    backbone = backbones.create(backbones.BackboneConfig())
    generator = torch.Generator().manual_seed(options.seed)
    projection = random_orthogonal(sum(backbone.channels), options.dim, generator)
    patches = []
    for path in images.walk_folder(options.photos).photos:
        photo = cv2.resize(images.read(path), (options.size, options.size), interpolation=cv2.INTER_AREA)
        x = torch.from_numpy(photo).permute(2, 0, 1)[None] / 255
        patches.append(embed(backbone, x).flatten(2)[0].T @ projection)
    return torch.cat(patches)[: options.n]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _table(result: dict[str, Any]) -> str:
    ours = result["ours_s"]
    rows = [("ours", ours, "all centres"), ("plain loop, float32", result["plain_s"], _scaled(result, "plain"))]
    if result["peer_s"] is not None:
        rows.append(("anomalib 2.7", result["peer_s"], _scaled(result, "peer")))
    head = f"{result['points']:,} x {result['dim']} to {result['centres']:,}, {result['threads']} threads"
    lines = [f"{name:<22}{seconds:>10.1f} s{seconds / ours:>8.1f} x   {note}" for name, seconds, note in rows]
    same = "the same indices as the plain loop" if result["same_indices"] else "OTHER INDICES THAN THE PLAIN LOOP"
    memory = f"peak memory {result['peak_memory_mb']:.0f} MB, of which the features {result['features_mb']:.0f} MB"
    return "\n".join([head, *lines, same, memory])


def _scaled(result: dict[str, Any], who: str) -> str:
    return f"scaled from {result[f'{who}_centres_timed']} centres"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000, help="points")
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--ratio", type=float, default=0.1, help="share of the points that the coreset keeps")
    parser.add_argument("--photos", type=Path, help="a folder of photos: take their patches, not drawn clusters")
    parser.add_argument("--size", type=int, default=256, help="side that photos are resized to")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peer", action="store_true", help="time anomalib's too")
    parser.add_argument("--peer-python", type=Path, default=peer.PYTHON, help="of the environment it is installed in")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
