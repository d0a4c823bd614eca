"""What each step and option of the recipe `fastener` contributes to finding corrosion, on real photos from the web.

    python benchmarks/fasteners.py --data DIR [--weights RESNET18.safetensors] [--json]

Taught on the OK photos of the training split alone; measured on the NG photos of all splits against the OK photos of
the others. The figures are the image AUROC with its 95 % interval, also with repeated pictures removed, and the rates
of rejected, reviewed and escaped photos.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from judging import judge, rates_line
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from andon import datasets, recipes
from andon.config import Tree, parse_setting, put
from andon.evaluation.intervals import Interval, auroc_interval
from andon.recipes import Recipe
from andon.types import Sample

LIGHT = ("white_balance", "specular_highlights", "clahe")
PART = ("otsu_roi", "crop_to_roi", "align", "scale_to_canvas", "blank_background")
SQUARE = {"resize": {"canvas": [256, 256]}}
NO_COLOUR = "detector.colour_weight=0"


@dataclass(frozen=True)
class Photos:
    """Attributes:
    test: NG photos of all splits, OK photos of all but the training split.
    is_distinct: for each of `test`, whether it stays when repeated pictures are removed.
    """

    taught: tuple[Sample, ...]
    test: tuple[Sample, ...]
    is_distinct: NDArray[np.bool_]

    @property
    def is_ng(self) -> NDArray[np.bool_]:
        """For each of `test`."""
        return np.array([bool(sample.is_anomalous) for sample in self.test])


@dataclass(frozen=True)
class Row:
    """Attributes:
    distinct_auroc: with repeated pictures removed.
    rates: rejected, reviewed and escaped photos at the threshold, all photos.
    """

    variant: str
    auroc: float
    interval: Interval
    distinct_auroc: float
    distinct_interval: Interval
    rates: str
    seconds: float


def main() -> None:
    options = _options()
    if not options.data.is_dir():
        print(f"There are no photos at {options.data}; nothing was measured.")
        return
    photos = read_photos(options.data)
    if not options.json:
        print(_head(photos))
    rows = []
    for name, tree in variants(options.weights):
        rows.append(measure(name, Recipe.from_tree(tree), photos))
        if not options.json:
            print(_line(rows[-1]), flush=True)
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))


def read_photos(data: Path) -> Photos:
    """The photos, divided; of each group of repeated pictures one stays, or none where one of them was trained with."""
    samples = datasets.read(data, also_ng=("Corroded",)).samples
    taught = tuple(s for s in samples if s.split == "train" and s.is_anomalous is False)
    test = tuple(s for s in samples if s.is_anomalous or (s.is_anomalous is False and s.split != "train"))
    taught_paths, test_paths = {s.path for s in taught}, {s.path for s in test}
    surplus: set[Path] = set()
    for group in datasets.find_duplicates(samples).all_groups:
        tested = [path for path in group.paths if path in test_paths]
        surplus.update(tested if taught_paths & set(group.paths) else tested[1:])
    return Photos(taught, test, np.array([s.path not in surplus for s in test]))


def variants(weights: Path | None) -> Iterator[tuple[str, Tree]]:
    """Name and recipe of each row: one thing left out of `fastener`, then one thing added to the plain detector."""
    full = recipes.read_tree("fastener")
    yield "fastener", full
    yield "  without colour: document 000", override(full, [NO_COLOUR])
    for step in LIGHT:
        yield f"  without {step}", without(full, step)
    yield "  without otsu_roi (whole photo)", without(full, "otsu_roi")
    yield "  without align", without(full, "align")
    yield "  without scale_to_canvas", without(full, "scale_to_canvas")
    yield "  otsu_roi first", with_steps(full, {"otsu_roi": {}} | full["steps"])
    yield "  95th percentile, not maximum", override(full, ["detector.image_score=percentile"])

    plain = with_steps(override(full, [NO_COLOUR]), SQUARE)
    yield "plain: resized, no colour", plain
    yield "  with colour", with_steps(full, SQUARE)
    for step in LIGHT:
        yield f"  with {step}", with_steps(plain, {step: {}} | SQUARE)
    yield "  with the part isolated, aligned", without(override(full, [NO_COLOUR]), *LIGHT)

    if weights:
        network = [f"backbone.weights={weights}", "backbone.name=resnet18"]
        yield "plain, ResNet-18", override(plain, network)
        yield "  with colour", override(with_steps(full, SQUARE), network)
        yield "fastener, ResNet-18", override(full, network)


def override(tree: Tree, settings: list[str]) -> Tree:
    """The recipe with these settings laid over it."""
    for setting in settings:
        tree = put(tree, *parse_setting(setting))
    return tree


def with_steps(tree: Tree, steps: Tree) -> Tree:
    """The recipe with these steps in place of its own."""
    return tree | {"steps": steps}


def without(tree: Tree, *steps: str) -> Tree:
    """The recipe without these steps; a resize stands in for the step that makes all photos the same size."""
    kept = {name: values for name, values in tree["steps"].items() if name not in steps}
    return with_steps(tree, kept if "scale_to_canvas" in kept else kept | SQUARE)


def measure(name: str, recipe: Recipe, photos: Photos) -> Row:
    """Teach with the recipe, judge, and compare OK with NG."""
    start = time.perf_counter()
    results = judge(recipe, photos.taught, photos.test)
    scores = results.scores
    auroc, interval = _auroc(scores, photos.is_ng)
    distinct = photos.is_distinct
    distinct_auroc, distinct_interval = _auroc(scores[distinct], photos.is_ng[distinct])
    seconds = time.perf_counter() - start
    return Row(name, auroc, interval, distinct_auroc, distinct_interval, rates_line(results), seconds)


def _auroc(scores: NDArray[np.float64], is_ng: NDArray[np.bool_]) -> tuple[float, Interval]:
    return float(roc_auc_score(is_ng, scores)), auroc_interval(scores[~is_ng], scores[is_ng])


def _head(photos: Photos) -> str:
    n_ng, n_ok = int(photos.is_ng.sum()), int((~photos.is_ng).sum())
    distinct_ng = int((photos.is_ng & photos.is_distinct).sum())
    distinct_ok = int((~photos.is_ng & photos.is_distinct).sum())
    return (
        f"Taught on {len(photos.taught)} OK photos. Image AUROC of {n_ng} NG against {n_ok} OK photos; "
        f"with repeated pictures removed, {distinct_ng} against {distinct_ok}.\n\n"
        f"{'':<36}{'all photos':<24}{'repeats removed':<24}{'seconds':>7}"
    )


def _line(row: Row) -> str:
    figures = [(row.auroc, row.interval), (row.distinct_auroc, row.distinct_interval)]
    cells = [f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, (low, high) in figures]
    return f"{row.variant:<36}{cells[0]:<24}{cells[1]:<24}{row.seconds:>7.0f}\n{'':<8}{row.rates}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/fasteners"), help="the folder of the photos")
    parser.add_argument("--weights", type=Path, help="of timm's resnet18, to compare the embedded network with")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
