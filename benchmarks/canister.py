"""How well the recipe `canister` finds the object, tells damage, and learns from a set that holds damaged photos.

    python benchmarks/canister.py [--data DIR] [--json]

Measured on the drawn set of `andon data demo --kind canister` (60 photos, seed 0), which is drawn where DIR does not
hold it. The AUROC is that of all OK test photos against the damaged ones that teach in no row, so that rows compare.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from andon import backbones, datasets, images, recipes
from andon.anomaly_map import roi_in_original
from andon.datasets._canister import OBJECT_MASKS, draw_canisters
from andon.detectors import Batch
from andon.evaluation.intervals import Interval, auroc_interval
from andon.pipeline import Pipeline, Prepared, to_batch
from andon.types import Sample

N_LEFT_IN = 5  # damaged photos among those that teach
BATCH = 8


@dataclass(frozen=True)
class Found:
    """How well the region of interest covers the canister: intersection over union."""

    mean_iou: float
    median_iou: float
    smallest_iou: float
    n_above_90: int
    n_with_note: int
    n: int


@dataclass(frozen=True)
class Row:
    """One way to teach."""

    taught: str
    density_keep: float
    auroc: float
    interval: Interval
    seconds: float


def main() -> None:
    options = _options()
    if not (options.data / OBJECT_MASKS).is_dir():
        draw_canisters(options.data)
    samples = datasets.read(options.data).samples
    prepared = dict(zip(samples, _prepare(samples), strict=True))
    found = cover(options.data, prepared)
    if not options.json:
        print(_found_line(found), flush=True)
    rows = []
    for row in measure(prepared):
        rows.append(row)
        if not options.json:
            print(_row_line(row), flush=True)
    if options.json:
        print(json.dumps({"roi": asdict(found), "rows": [asdict(row) for row in rows]}))


def _prepare(samples: Sequence[Sample]) -> list[Prepared]:
    recipe = recipes.read("canister")
    pipeline = Pipeline(recipe, recipe.new_detector(backbones.create(recipe.backbone)))
    return [pipeline.prepare(sample.path) for sample in samples]


def cover(root: Path, prepared: dict[Sample, Prepared]) -> Found:
    """The ROI against the drawn canister, in the photo's own pixels."""
    ious, notes = [], 0
    for sample, photo in prepared.items():
        roi = roi_in_original(photo.frame)
        name = sample.path.relative_to(root).with_name(f"{sample.path.stem}_mask.png")
        truth = images.read_mask(root / OBJECT_MASKS / name)
        ious.append(float((roi & truth).sum() / (roi | truth).sum()))
        notes += bool(photo.frame.notes)
    values = np.array(ious)
    above = int((values >= 0.9).sum())
    return Found(float(values.mean()), float(np.median(values)), float(values.min()), above, notes, len(values))


def measure(prepared: dict[Sample, Prepared]) -> Iterator[Row]:
    """Taught with OK photos alone, and with damaged ones among them; each with and without the density filter."""
    ok = [sample for sample in prepared if sample.split == "train"]
    damaged = sorted((s for s in prepared if s.is_anomalous), key=lambda sample: (sample.path.name, str(sample.defect)))
    left_in, tested = damaged[:N_LEFT_IN], damaged[N_LEFT_IN:]
    test = [sample for sample in prepared if sample.split == "test" and not sample.is_anomalous] + tested
    is_ng = np.array([bool(sample.is_anomalous) for sample in test])
    for what, taught in ((f"{len(ok)} OK", ok), (f"{len(ok)} OK, {N_LEFT_IN} damaged", ok + left_in)):
        for keep in (0.85, 1.0):
            started = time.perf_counter()
            scores = _score([prepared[s] for s in taught], [prepared[s] for s in test], keep)
            auroc = float(roc_auc_score(is_ng, scores))
            interval = auroc_interval(scores[~is_ng], scores[is_ng])
            yield Row(what, keep, auroc, interval, time.perf_counter() - started)


def _score(taught: list[Prepared], test: list[Prepared], density_keep: float) -> NDArray[np.float64]:
    recipe = recipes.read("canister", [f"detector.density_keep={density_keep}"])
    detector = recipe.new_detector(backbones.create(recipe.backbone))
    detector.fit(_batches(taught), recipe.training.seed)
    pipeline = Pipeline(recipe, detector)
    parts = (test[i : i + pipeline.scorer.batch_size] for i in range(0, len(test), pipeline.scorer.batch_size))
    return np.array([scored.score for part in parts for scored in pipeline.score(part)])


def _batches(photos: list[Prepared]) -> list[Batch]:
    arrays = (to_batch([photo.frame for photo in photos[i : i + BATCH]]) for i in range(0, len(photos), BATCH))
    return [(torch.from_numpy(x), torch.from_numpy(roi)) for x, roi in arrays]


def _found_line(found: Found) -> str:
    return (
        f"Object found in {found.n} photos: mean intersection over union {found.mean_iou:.3f}, "
        f"median {found.median_iou:.3f}, smallest {found.smallest_iou:.3f}, at least 0.9 in {found.n_above_90}; "
        f"{found.n_with_note} with a note.\n\n"
        f"{'taught with':<24}{'density_keep':>12}   {'image AUROC':<24}{'seconds':>8}"
    )


def _row_line(row: Row) -> str:
    auroc = f"{row.auroc:.3f} [{row.interval[0]:.3f}, {row.interval[1]:.3f}]"
    return f"{row.taught:<24}{row.density_keep:>12.2f}   {auroc:<24}{row.seconds:>8.0f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "andon-canisters")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
