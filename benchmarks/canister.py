"""How well the recipe `canister` finds the object, tells damage, and learns from a set that holds damaged photos.

    python benchmarks/canister.py [--data DIR] [--seeds 0,1,2,3] [--set a.b=c ...] [--json]

Measured on the drawn sets of `andon data demo --kind canister` (60 photos each), one per seed, which are drawn where
DIR/<seed> does not hold them. The AUROC is that of all OK test photos against the damaged ones that teach in no row, so
that rows compare. Beside it stand the rates of rejected, reviewed and escaped photos at the threshold of each model.
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
from judging import RATES, judge, rates_line
from sklearn.metrics import roc_auc_score

from andon import backbones, datasets, detectors, images, recipes
from andon.drawn.canisters import OBJECT_MASKS, draw_canisters
from andon.evaluation import metrics
from andon.evaluation.intervals import Interval, auroc_interval
from andon.line.anomaly_map import roi_in_original
from andon.line.pipeline import Prepared
from andon.models.taught import assemble
from andon.types import Sample

N_LEFT_IN = 5  # damaged photos among those that teach


@dataclass(frozen=True)
class Found:
    """How well the region of interest covers the canister: intersection over union.

    Attributes:
        milliseconds: of processor time per photo, for all steps.
    """

    mean_iou: float
    median_iou: float
    smallest_iou: float
    n_above_90: int
    n_with_note: int
    n: int
    milliseconds: float


@dataclass(frozen=True)
class Row:
    """One way to teach; `shares` are those of `RATES`, in its order."""

    taught: str
    density_keep: float
    auroc: float
    interval: Interval
    shares: tuple[float, ...]
    rates: str
    seconds: float


def main() -> None:
    options = _options()
    results = {}
    for seed in options.seeds:
        folder = options.data / str(seed)
        if not (folder / OBJECT_MASKS).is_dir():
            draw_canisters(folder, seed=seed)
        samples = datasets.read(folder).samples
        started = time.process_time()
        prepared = dict(zip(samples, _prepare(samples, options.set), strict=True))
        milliseconds = 1000 * (time.process_time() - started) / len(samples)
        found = cover(folder, prepared, milliseconds)
        if not options.json:
            print(f"seed {seed}: {_found_line(found)}", flush=True)
        rows = []
        for row in measure(prepared, options.set):
            rows.append(row)
            if not options.json:
                print(_row_line(row), flush=True)
        results[seed] = found, rows
    if options.json:
        of_seeds = {
            s: {"roi": asdict(found), "rows": [asdict(r) for r in rows]} for s, (found, rows) in results.items()
        }
        print(json.dumps(of_seeds))
    else:
        print(_mean_lines(list(results.values())))


def _prepare(samples: Sequence[Sample], settings: list[str]) -> list[Prepared]:
    recipe = recipes.build("canister", settings)
    pipeline = assemble(recipe, detectors.of_recipe(recipe, backbones.create(recipe.backbone)))
    return [pipeline.prepare(sample.path) for sample in samples]


def cover(root: Path, prepared: dict[Sample, Prepared], milliseconds: float) -> Found:
    """The ROI against the drawn canister, in the photo's own pixels."""
    ious, notes = [], 0
    for sample, photo in prepared.items():
        found = roi_in_original(photo.frame)
        name = sample.path.relative_to(root).with_name(f"{sample.path.stem}_mask.png")
        truth = images.read_mask(root / OBJECT_MASKS / name)
        roi = np.ones_like(truth) if found is None else found
        ious.append(float((roi & truth).sum() / (roi | truth).sum()))
        notes += bool(photo.frame.notes)
    values = np.array(ious)
    above = int((values >= 0.9).sum())
    return Found(
        float(values.mean()), float(np.median(values)), float(values.min()), above, notes, len(values), milliseconds
    )


def measure(prepared: dict[Sample, Prepared], settings: list[str]) -> Iterator[Row]:
    """Taught with OK photos alone, and with damaged ones among them; each with and without the density filter."""
    ok = [sample for sample in prepared if sample.split == "train"]
    damaged = sorted((s for s in prepared if s.is_anomalous), key=lambda sample: (sample.path.name, str(sample.defect)))
    left_in, tested = damaged[:N_LEFT_IN], damaged[N_LEFT_IN:]
    test = [sample for sample in prepared if sample.split == "test" and not sample.is_anomalous] + tested
    for what, taught in ((f"{len(ok)} OK", ok), (f"{len(ok)} OK, {N_LEFT_IN} damaged", ok + left_in)):
        for keep in (0.85, 1.0):
            started = time.perf_counter()
            recipe = recipes.build("canister", [*settings, f"detector.density_keep={keep}"])
            results = judge(recipe, taught, test)
            auroc = float(roc_auc_score(results.is_anomalous, results.scores))
            interval = auroc_interval(results.scores[~results.is_anomalous], results.scores[results.is_anomalous])
            counts = [metrics.cases(name, results) for name in RATES]
            shares = tuple(float(count.mean()) for count in counts)
            yield Row(what, keep, auroc, interval, shares, rates_line(results), time.perf_counter() - started)


def _found_line(found: Found) -> str:
    return (
        f"Object found in {found.n} photos: mean intersection over union {found.mean_iou:.3f}, "
        f"median {found.median_iou:.3f}, smallest {found.smallest_iou:.3f}, at least 0.9 in {found.n_above_90}; "
        f"{found.n_with_note} with a note; {found.milliseconds:.0f} ms of processor time per photo.\n"
        f"{'taught with':<24}{'density_keep':>12}   {'image AUROC':<24}{'seconds':>8}"
    )


def _row_line(row: Row) -> str:
    auroc = f"{row.auroc:.3f} [{row.interval[0]:.3f}, {row.interval[1]:.3f}]"
    return f"{row.taught:<24}{row.density_keep:>12.2f}   {auroc:<24}{row.seconds:>8.0f}\n{'':<8}{row.rates}"


def _mean_lines(results: list[tuple[Found, list[Row]]]) -> str:
    """The mean over the seeds, with the least and the most."""
    ious = np.array([found.mean_iou for found, _ in results])
    spread = f"{ious.mean():.3f} ({ious.min():.3f} to {ious.max():.3f})"
    lines = [f"Mean of {len(results)} seeds: intersection over union {spread}; image AUROC:"]
    for rows in zip(*(rows for _, rows in results), strict=True):
        aurocs = np.array([row.auroc for row in rows])
        spread = f"{aurocs.mean():.3f} ({aurocs.min():.3f} to {aurocs.max():.3f})"
        means = np.array([row.shares for row in rows]).mean(axis=0)
        told = ", ".join(f"{word} {100 * mean:.1f} %" for word, mean in zip(RATES.values(), means, strict=True))
        lines.append(f"{rows[0].taught:<24}{rows[0].density_keep:>12.2f}   {spread}; {told}")
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "andon-canisters")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2, 3])
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="a setting of the recipe")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
