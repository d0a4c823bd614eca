"""One detector on several backbones, in one run: accuracy and verdicts on each data set, speed and size of the network.

    python benchmarks/backbones.py --data DIR --backbone embedded --backbone efficientnet_lite0 --backbone resnet18=FILE

DIR holds data sets in folders of their own; --sets names them. Each is trained and calibrated as `andon train` does it,
by recipe `default` unless --recipe names another, and judges the photos of the test split: rejected are OK photos that
it calls NG, escaped are NG photos that it calls OK, and rates are "k of n". A set without masks has no pixel figures.
Every model judges the same photos in turn, the best of some rounds, and its time is given as a share of the first
backbone's. `embedded=FILE` measures other weights of our own network.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from judging import judged

import andon
from andon import Taught, backbones, datasets
from andon.backbones import Backbone, BackboneConfig
from andon.evaluation import Results, metrics
from andon.evaluation.headlines import AT_THRESHOLD, INVALID, SEPARATION
from andon.evaluation.undefined import Undefined
from andon.inference._openvino import convert_model

SETS = ("bottle", "metal_plate", "alien", "cookie")
METRICS = (*SEPARATION, *AT_THRESHOLD, INVALID)
BATCH = 8
REPEATS = 8
TIMED_PHOTOS = 20


def main() -> None:
    options = _options()
    configs = [_config(item) for item in options.backbone]
    networks = [backbones.create(config) for config in configs]
    speeds: list[dict[str, float]] = [{} for _ in networks] if options.no_speed else _speeds(networks)
    rows: list[dict[str, Any]] = [
        {"backbone": config.name, "weights": config.weights, **_size(network), **speed, "sets": {}}
        for config, network, speed in zip(configs, networks, speeds, strict=True)
    ]
    missing = [name for name in options.sets if not (options.data / name).is_dir()]
    if not options.json:
        print("\n".join(map(_head, rows)))
    for name in options.sets:
        if name not in missing:
            figures = _on_set(options.data / name, configs, options)
            for row, of_backbone in zip(rows, figures, strict=True):
                row["sets"][name] = of_backbone
                if not options.json:
                    print(_line(name, row["backbone"], of_backbone), flush=True)
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
        model = convert_model(network, example_input=x, input=[tuple(x.shape)])
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


def _on_set(folder: Path, configs: list[BackboneConfig], options: argparse.Namespace) -> list[dict[str, Any]]:
    """For each backbone its figures on the test split, and the time that it takes per photo."""
    test = [
        sample for sample in datasets.read(folder).samples if sample.split == "test" and sample.is_anomalous is not None
    ]
    models = [_train(folder, config, options) for config in configs]
    figures = [_figures(judged(model, test)) for model in models]
    if not options.no_speed:
        seconds = _times(models, [sample.path for sample in test][:: max(1, len(test) // TIMED_PHOTOS)])
        for row, of_model in zip(figures, seconds, strict=True):
            row |= {"ms_per_photo": 1000 * of_model, "time_ratio": of_model / seconds[0]}
    return figures


def _train(folder: Path, config: BackboneConfig, options: argparse.Namespace) -> Taught:
    weights = [] if config.weights is None else [f"backbone.weights={config.weights}"]
    settings = [f"backbone.name={config.name}", *weights, *options.settings]
    return andon.train(folder, recipe=options.recipe, settings=settings, precision="f32")


def _times(models: list[Taught], photos: list[Path]) -> list[float]:
    """Seconds per photo, from file to verdict, one photo at a time and the models taking turns."""
    best = np.full((len(models), len(photos)), np.inf)
    for _ in range(REPEATS):
        for column, photo in enumerate(photos):
            for row, model in enumerate(models):
                start = time.perf_counter()
                model.pipeline.inspect(photo)
                best[row, column] = min(best[row, column], time.perf_counter() - start)
    return [float(seconds) for seconds in best.mean(axis=1)]


def _figures(results: Results) -> dict[str, Any]:
    return {name: _figure(name, results) for name in METRICS}


def _figure(name: str, results: Results) -> float | str | None:
    """A number, or "k of n" of a rate."""
    try:
        figure = metrics.measure(name, results)
    except Undefined:
        return None
    return figure.value if figure.count is None else "{} of {}".format(*figure.count)


def _head(row: dict[str, Any]) -> str:
    head = f"{row['backbone']}: {row['parameters']:,} parameters, {row['mb_half']:.1f} MB in half precision"
    speeds = [f"{key[:-3]} {value:.2f} ms" for key, value in row.items() if key.endswith("_ms")]
    return ", ".join([head, *speeds])


def _line(name: str, backbone: str, figures: dict[str, Any]) -> str:
    cells = [f"{key} {_cell(value)}" for key, value in figures.items()]
    return f"{name:<12} {backbone:<20} {', '.join(cells)}"


def _cell(value: float | str | None) -> str:
    if value is None:
        return "undefined"
    return value if isinstance(value, str) else f"{value:.4f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the data sets")
    parser.add_argument("--recipe", default="default", help="name of a recipe, or a .toml file")
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
