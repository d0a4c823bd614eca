"""Inspection, also by the exported model, against the plain torch reference and anomalib's: from files to verdicts.

    python benchmarks/inspect.py --data bottle/ --weights resnet18.safetensors --peer
    python benchmarks/inspect.py --data bottle/ --weights resnet18.safetensors --peer --target-dim 128 --coverage 1.5

All take turns, with the same network and photo size, and the fastest turn of each counts. anomalib does not project the
embedding; with --target-dim 0 it searches the very same memory bank, so that scores must agree, else one with as many
rows of its own. The CPU time, of all threads together, counts where other work shares the cores.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import peer
import torch
from scorer import BATCH, compare_with_network
from sklearn.metrics import roc_auc_score

from andon import datasets, recipes
from andon.datasets import Dataset
from andon.drawn.fasteners import draw_fasteners
from andon.export.export import export
from andon.line.pipeline import Pipeline
from andon.models.load import load
from andon.models.taught import Taught
from andon.ordered_map import ordered_map
from andon.scorers.choose import reference_scorer
from andon.scorers.precision import settle
from andon.teaching.train import teach
from andon.types import Inspection

TURNS = 3


class Run(NamedTuple):
    scores: list[float]
    seconds: float
    cpu_seconds: float


def main() -> None:
    options = _options()
    if options.data is not None:
        result = _measure(datasets.read(options.data), options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            draw_fasteners(Path(folder))
            result = _measure(datasets.read(Path(folder)), options)
    print(json.dumps(result) if options.json else _table(result))


def _measure(dataset: Dataset, options: argparse.Namespace) -> dict[str, Any]:
    backbone = [f"backbone.name={options.backbone}", f"backbone.weights={options.weights}"] if options.weights else []
    settings = [
        *backbone,
        f"detector.coreset_ratio={options.ratio}",
        f"detector.coverage={options.coverage}",
        "detector.image_score=maximum",  # the peer's
        f"detector.target_dim={options.target_dim}",
        f"steps.resize.image_size={options.size}",
    ]
    taught, teach_s = _timed(lambda: teach(recipes.build("default", settings), dataset))
    pipeline = taught.pipeline
    samples = [sample for sample in dataset.samples if sample.split == "test" and sample.is_anomalous is not None]
    photos = [sample.path for sample in samples]
    plain = replace(pipeline, scorer=reference_scorer(taught.detector, pipeline.scorer.batch_size))

    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part.andon"
        export(taught, part)
        exported = load(part)

    turns = [[_run(each, photos) for each in (pipeline, exported, plain)] for _ in range(TURNS)]
    ours, without_torch, reference = (min(runs, key=lambda run: run.seconds) for runs in zip(*turns, strict=True))
    is_ng = [bool(sample.is_anomalous) for sample in samples]
    result: dict[str, Any] = {
        "photos": len(photos),
        "threads": torch.get_num_threads(),
        "precision": pipeline.scorer.precision,
        "bank": list(taught.detector.learned()["bank_"].shape),
        "teach_s": teach_s,
        **_figures(ours, is_ng),
        **_parts(taught, photos),
        "stages": _stages(pipeline, photos),
        "exported": _figures(without_torch, is_ng) | _deviation(ours.scores, without_torch.scores),
        "plain": _figures(reference, is_ng) | _deviation(ours.scores, reference.scores),
        "peer": None,
    }
    if options.peer and options.peer_python.exists() and options.weights is not None:
        same_bank = options.target_dim == 0
        of_peer = taught if same_bank else _unprojected(dataset, settings, taught)
        answer = Run(**_ask_peer(of_peer, photos, options))
        differ = _deviation(ours.scores, answer.scores) if same_bank else {}
        result["peer"] = _figures(answer, is_ng) | differ
    result["of_slowest_stage"] = max(result["stages"].values()) / result["ms_per_image"]
    return result


def _run(pipeline: Pipeline, photos: list[Path]) -> Run:
    """From files to verdicts; what the first batch of a process takes is not counted: networks are compiled then."""
    list(pipeline.inspect_batch(photos[: 2 * pipeline.scorer.batch_size]))
    cpu = time.process_time()
    results, seconds = _timed(lambda: list(pipeline.inspect_batch(photos)))
    scores = [result.score for result in results if isinstance(result, Inspection)]
    return Run(scores, seconds, time.process_time() - cpu)


def _unprojected(dataset: Dataset, settings: list[str], taught: Taught) -> Taught:
    """The same with a bank of as many rows that are not projected, for the peer."""
    facts = taught.detector.facts
    share = facts["bank_rows"] / facts["patches"]
    again = ["detector.target_dim=0", "detector.coverage=0", f"detector.coreset_ratio={share}"]
    return teach(recipes.build("default", [*settings, *again]), dataset)


def _figures(run: Run, is_ng: list[bool]) -> dict[str, float]:
    scores, seconds, cpu_seconds = run
    return {
        "auroc": float(roc_auc_score(is_ng, scores)),
        "ms_per_image": 1000 * seconds / len(scores),
        "cpu_ms_per_image": 1000 * cpu_seconds / len(scores),
        "images_per_s": len(scores) / seconds,
    }


def _parts(taught: Taught, photos: list[Path]) -> dict[str, float]:
    """The scorer, and the network in it alone, on the same batch of 8; milliseconds per photo."""
    frames = [taught.pipeline.prepare(photo).frame for photo in photos[:BATCH]]
    network, scorer, _ = compare_with_network(taught.detector, frames, settle("auto"))
    return {
        "backbone_ms": network.ms,
        "backbone_cpu_ms": network.cpu_ms,
        "scorer_ms": scorer.ms,
        "scorer_cpu_ms": scorer.cpu_ms,
        "scorer_over_backbone": scorer.ms / network.ms,
        "scorer_over_backbone_cpu": scorer.cpu_ms / network.cpu_ms,
    }


def _stages(pipeline: Pipeline, photos: list[Path]) -> dict[str, float]:
    """Milliseconds per photo of each stage when it runs alone, on all cores as it does in a batch."""
    prepared, read_s = _timed(lambda: list(ordered_map(pipeline.prepare, photos)))
    scored, score_s = _timed(lambda: [pipeline.score([photo])[0] for photo in prepared])
    _, map_s = _timed(lambda: list(ordered_map(lambda s: pipeline.judge(s, with_map=False), scored)))
    seconds = {"read and prepare": read_s, "score": score_s, "map": map_s}
    return {name: 1000 * value / len(photos) for name, value in seconds.items()}


def _ask_peer(taught: Taught, photos: list[Path], options: argparse.Namespace) -> dict[str, Any]:
    """anomalib's run with this model's memory bank, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        bank, job = Path(folder) / "bank.npy", Path(folder) / "job.json"
        np.save(bank, taught.detector.learned()["bank_"].numpy())
        task = {
            "bank": str(bank),
            "backbone": options.backbone,
            "weights": str(options.weights),
            "size": [options.size, options.size],
            "batch_size": taught.recipe.training.batch_size,
            "photos": [str(photo) for photo in photos],
            "turns": TURNS,
        }
        job.write_text(json.dumps(task))
        return peer.ask(options.peer_python, "peer_inspect.py", job)


def _deviation(scores: list[float], others: list[float]) -> dict[str, float]:
    """The largest relative difference."""
    return {"score_deviation": float(np.max(np.abs(np.array(scores) / np.array(others) - 1)))}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _table(result: dict[str, Any]) -> str:
    rows, dim = result["bank"]
    lines = [
        f"{result['photos']} photos, bank {rows:,} x {dim}, {result['threads']} threads, {result['precision']}; "
        f"trained in {result['teach_s']:.1f} s",
        f"{'':<16}{'ms/photo':>9}{'photos/s':>10}{'ratio':>8}{'CPU ms':>9}{'ratio':>8}{'AUROC':>8}"
        f"{'scores differ by':>18}",
    ]
    rows_of = {"ours": result, "exported": result["exported"], "plain torch": result["plain"]}
    for name, figures in {**rows_of, "anomalib 2.7": result["peer"]}.items():
        if figures is not None:
            ratio = figures["ms_per_image"] / result["ms_per_image"]
            cpu_ratio = figures["cpu_ms_per_image"] / result["cpu_ms_per_image"]
            differ = f"{figures['score_deviation']:18.1e}" if "score_deviation" in figures else ""
            lines.append(
                f"{name:<16}{figures['ms_per_image']:9.1f}{figures['images_per_s']:10.1f}{ratio:7.1f}x"
                f"{figures['cpu_ms_per_image']:9.1f}{cpu_ratio:7.1f}x{figures['auroc']:8.3f}{differ}"
            )
    if result["peer"] is None:
        lines.append(
            "anomalib 2.7 is left out: it takes --peer, the --weights of a timm network, and the environment that "
            "`make bench-peer` builds."
        )
    stages = ", ".join(f"{name} {value:.1f} ms" for name, value in result["stages"].items())
    return "\n".join(
        [
            *lines,
            f"batch of {BATCH}, per photo: network {result['backbone_ms']:.1f} ms, "
            f"scorer {result['scorer_ms']:.1f} ms = {result['scorer_over_backbone']:.1f} x the network "
            f"({result['scorer_over_backbone_cpu']:.1f} x in CPU time)",
            f"stages alone: {stages}; the batch runs at {result['of_slowest_stage']:.0%} of the slowest one's speed",
        ]
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a data set with labelled test photos; drawn fasteners if left out")
    parser.add_argument("--weights", type=Path, help="of --backbone; without them the embedded network is measured")
    parser.add_argument("--backbone", default="resnet18", help="a network of timm")
    parser.add_argument("--ratio", type=float, default=0.1, help="share of the patches that the bank keeps")
    parser.add_argument("--coverage", type=float, default=0.0, help="let the bank stop growing where it is enough")
    parser.add_argument("--target-dim", type=int, default=0, help="dimensions of the bank; 0 does not project")
    parser.add_argument("--size", type=int, default=256, help="side that photos are resized to")
    parser.add_argument("--peer", action="store_true", help="time anomalib's too")
    parser.add_argument("--peer-python", type=Path, default=peer.PYTHON, help="of the environment it is installed in")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
