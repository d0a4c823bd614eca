"""PatchCore on one backbone and another, in one run: accuracy on each data set, speed and size of the network.

    python benchmarks/backbones.py --data DIR --backbone embedded --backbone resnet18=FILE

DIR holds data sets in folders of their own; --sets names them. Recipe `default`, so 256 x 256 and a coreset of 10 %. A
set without masks has no pixel figures. The photos of the training split that are OK teach; where the test split has
fewer than 20 OK photos, all that does not teach is measured. `embedded=FILE` measures other weights of our own network.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray

from andon import backbones, datasets, detectors, recipes
from andon.backbones import Backbone, BackboneConfig
from andon.evaluation import PixelCurves, Results, metrics
from andon.evaluation.undefined import Undefined
from andon.images import OpenedPhotos
from andon.line.pipeline import Pipeline, Scored
from andon.models.taught import assemble
from andon.teaching.photos import Batches, settle_steps
from andon.types import Sample

SETS = ("bottle", "metal_plate", "fasteners")
METRICS = ("image_auroc", "pixel_auroc", "aupro")
BATCH = 8
REPEATS = 8
MIN_OK = 20


def main() -> None:
    options = _options()
    rows = []
    configs = [_config(item) for item in options.backbone]
    missing = [name for name in options.sets if not (options.data / name).is_dir()]
    speeds = _speeds([backbones.create(config) for config in configs]) if not options.no_speed else [{}] * len(configs)
    for config, speed in zip(configs, speeds, strict=True):
        backbone = backbones.create(config)
        row: dict[str, Any] = {"backbone": config.name, "weights": config.weights, **_size(backbone), **speed}
        row["sets"] = {
            name: _accuracy(backbone, options.data / name, options.settings)
            for name in options.sets
            if name not in missing
        }
        rows.append(row)
        if not options.json:
            print(_lines(row), flush=True)
    if options.json:
        print(json.dumps({"backbones": rows, "missing": missing}))
    for name in missing:
        print(f"{options.data / name} is missing, so nothing was measured on it.")


def _config(item: str) -> BackboneConfig:
    name, _, weights = item.partition("=")
    return BackboneConfig(name=name, weights=weights or None)


def _size(backbone: Backbone) -> dict[str, float]:
    """Parameters up to the last map that is used, and their megabytes in half precision."""
    n = sum(parameter.numel() for parameter in backbone.parameters())
    return {"parameters": n, "mb_half": 2 * n / 1e6}


def _speeds(networks: list[Backbone]) -> list[dict[str, float]]:
    """Milliseconds per photo of 256 x 256 in batches of 8, the networks taking turns; the best of some rounds."""
    x = torch.rand(BATCH, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    ways: list[dict[str, Callable[[], object]]] = []
    for network in networks:
        model = ov.convert_model(network, example_input=x, input=[tuple(x.shape)])
        ways.append({f"openvino_{precision}": _compiled(model, precision, x) for precision in ("bf16", "f32")})
        ways[-1]["torch"] = functools.partial(network, x)
    best: list[dict[str, float]] = [defaultdict(lambda: float("inf")) for _ in networks]
    with torch.inference_mode():
        for _ in range(REPEATS):
            for fastest, of_network in zip(best, ways, strict=True):
                for name, work in of_network.items():
                    start = time.perf_counter()
                    work()
                    fastest[f"{name}_ms"] = min(fastest[f"{name}_ms"], 1000 * (time.perf_counter() - start) / BATCH)
    return [dict(fastest) for fastest in best]


def _compiled(model: ov.Model, precision: str, x: torch.Tensor) -> Callable[[], object]:
    network = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    return lambda: network([x.numpy()])


def _accuracy(backbone: Backbone, folder: Path, settings: list[str]) -> dict[str, float | None]:
    samples = datasets.read(folder).samples
    ok = [sample.path for sample in samples if sample.split == "train" and sample.is_anomalous is False]
    recipe = recipes.build("default", settings)
    recipe = replace(recipe, steps=settle_steps(recipe.steps, ok, OpenedPhotos()))
    detector = detectors.of_recipe(recipe, backbone).fit(
        Batches(ok, recipe, f"Training {folder.name}"), recipe.training.seed
    )
    test = _measured(samples)
    return _figures(assemble(recipe, detector), test)


def _measured(samples: tuple[Sample, ...] | list[Sample]) -> list[Sample]:
    labelled = [sample for sample in samples if sample.is_anomalous is not None]
    test = [sample for sample in labelled if sample.split == "test"]
    if sum(not sample.is_anomalous for sample in test) >= MIN_OK:
        return test
    return [sample for sample in labelled if sample.is_anomalous or sample.split != "train"]


def _figures(pipeline: Pipeline, samples: list[Sample]) -> dict[str, float | None]:
    pixels: defaultdict[str | None, PixelCurves] = defaultdict(PixelCurves)
    scores = []
    for sample, scored in zip(samples, pipeline.score_all([sample.path for sample in samples]), strict=True):
        if not isinstance(scored, Scored):
            raise SystemExit(scored.error)
        scores.append(scored.score)
        if sample.has_truth or not sample.is_anomalous:
            anomaly_map = pipeline.anomaly_map(scored)
            height, width = anomaly_map.shape
            mask, _ = datasets.read_mask(sample, (height, width))
            nothing = np.zeros(anomaly_map.shape, bool)
            pixels[sample.defect if sample.is_anomalous else None].update(
                anomaly_map, nothing if mask is None else mask
            )
    is_ng: NDArray[np.bool_] = np.array([bool(sample.is_anomalous) for sample in samples])
    results = Results(
        is_anomalous=is_ng,
        scores=np.array(scores),
        verdicts=np.where(is_ng, "NG", "OK"),  # there is no threshold; the metrics below need none
        threshold=float("nan"),
        defects=tuple(sample.defect if sample.is_anomalous else None for sample in samples),
        pixels=dict(pixels),
    )
    return {name: _value(name, results) for name in METRICS}


def _value(name: str, results: Results) -> float | None:
    try:
        return float(metrics.measure(name, results).value)
    except Undefined:
        return None


def _lines(row: dict[str, Any]) -> str:
    head = f"{row['backbone']}: {row['parameters']:,} parameters, {row['mb_half']:.1f} MB in half precision"
    if "torch_ms" in row:
        head += ", " + ", ".join(
            f"{key[:-3]} {row[key]:.2f} ms" for key in ("openvino_bf16_ms", "openvino_f32_ms", "torch_ms")
        )
    lines = [head]
    for name, figures in row["sets"].items():
        cells = [f"{key} {'undefined' if value is None else f'{value:.4f}'}" for key, value in figures.items()]
        lines.append(f"  {name:<16}{', '.join(cells)}")
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the data sets")
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="their folders' names")
    parser.add_argument("--backbone", action="append", help="NAME or NAME=WEIGHTS; repeatable")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], help="section.name=value over the recipe"
    )
    parser.add_argument("--no-speed", action="store_true", help="measure accuracy alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.backbone = options.backbone or ["embedded"]
    return options


if __name__ == "__main__":
    main()
