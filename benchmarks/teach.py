"""Training from end to end against anomalib's, side by side in one run.

    python benchmarks/teach.py --data bottle/ --weights resnet18.safetensors

Ours is all that `andon train` does: it looks for duplicates, chooses the memory bank, calibrates on photos that were
held out and keeps thumbnails. The peer only reads the same photos that taught, embeds them and chooses a memory bank as
large. Its greedy loop costs the same for each centre: it is timed on a few and scaled to all, and the table says so.
The embedding is not projected, as anomalib's is not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import peer

from andon import datasets, recipes
from andon.teaching.train import teach


def main() -> None:
    options = _options()
    settings = [
        f"backbone.name={options.backbone}",
        f"backbone.weights={options.weights}",
        f"detector.coreset_ratio={options.ratio}",
        "detector.coverage=0",
        "detector.target_dim=0",
        f"steps.resize.image_size={options.size}",
    ]
    dataset = datasets.read(options.data)
    cpu, start = time.process_time(), time.perf_counter()
    taught = teach(recipes.build("default", settings), dataset)
    ours, cpu = time.perf_counter() - start, time.process_time() - cpu
    photos = [str(options.data / name) for name in taught.manifest.trained.names]
    result: dict[str, Any] = {
        "photos": len(photos),
        "held_out": len(taught.manifest.calibrated),
        "bank": list(taught.detector.learned()["bank_"].shape),
        "ours_s": ours,
        "ours_cpu_s": cpu,
        "peer": _peer(photos, options),
    }
    result["ratio"] = result["peer"] and result["peer"]["seconds"] / ours
    print(json.dumps(result) if options.json else _table(result))


def _peer(photos: list[str], options: argparse.Namespace) -> dict[str, Any] | None:
    """anomalib's figures for the same photos, in its own environment."""
    if not options.peer_python.exists():
        return None
    task = {
        "backbone": options.backbone,
        "weights": str(options.weights),
        "size": [options.size, options.size],
        "batch_size": 8,
        "ratio": options.ratio,
        "photos": photos,
    }
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps(task))
        return peer.ask(options.peer_python, "peer_teach.py", job)


def _table(result: dict[str, Any]) -> str:
    rows, dim = result["bank"]
    lines = [
        f"{result['photos']} photos, bank {rows:,} x {dim}",
        f"ours          {result['ours_s']:9.1f} s   calibrating on {result['held_out']} more photos included; "
        f"{result['ours_cpu_s']:.1f} s of CPU time",
    ]
    theirs = result["peer"]
    if theirs is None:
        return "\n".join([*lines, "anomalib 2.7 is left out: `make bench-peer` builds its environment."])
    return "\n".join(
        [
            *lines,
            f"anomalib 2.7  {theirs['seconds']:9.1f} s   embedding {theirs['embed_s']:.1f} s, "
            f"coreset {theirs['coreset_s']:.1f} s scaled from {theirs['centres_timed']} of its centres",
            f"ratio         {result['ratio']:9.1f} x",
        ]
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data set with photos to learn from")
    parser.add_argument("--weights", type=Path, required=True, help="of --backbone")
    parser.add_argument("--backbone", default="resnet18", help="a network of timm")
    parser.add_argument("--ratio", type=float, default=0.1, help="share of the patches that the bank keeps")
    parser.add_argument("--size", type=int, default=256, help="side that photos are resized to")
    parser.add_argument("--peer-python", type=Path, default=peer.PYTHON, help="of the environment it is installed in")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
