"""Verdicts of the defaults on whole data sets, beside those of the first edition's defaults.

    python benchmarks/verdicts.py --data DIR [--data DIR:RECIPE ...]

Each set is trained on as `andon train` does it, and its test photos are judged. "Now" are the recipe and rules of this
version. "Before" are 256 pixels, a bank of a tenth of the patches, the largest re-weighted distance, and the plain 99th
percentile without review or guard; with a recipe named after the set, before and now differ in the rules alone.
Rejected are OK photos called NG, escaped are NG photos called OK; review and invalid are neither. Rates stand with
their number of photos and 95 % interval (Clopper-Pearson).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from judging import judged

import andon
from andon import Taught, datasets, recipes
from andon.evaluation import Results, metrics
from andon.evaluation.intervals import clopper_pearson
from andon.evaluation.undefined import Undefined
from andon.line.rules import just_above

BEFORE = (
    "steps.resize.image_size=256",
    "detector.coreset_ratio=0.1",
    "detector.coverage=0",
    "detector.target_dim=256",
    "detector.image_score=maximum",
)
SEPARATION = ("image_auroc", "pixel_auroc", "aupro")


@dataclass(frozen=True)
class Row:
    """What one model did on one set's test photos.

    Attributes:
        separation: metric -> value; None where it has no meaning here.
        ok, ng: verdict -> number of photos, of the OK and of the NG photos.
    """

    data: str
    rules: str
    n_train: int
    separation: dict[str, float | None]
    ok: dict[str, int]
    ng: dict[str, int]

    def __str__(self) -> str:
        figures = " ".join(f"{value:7.3f}" if value is not None else f"{'-':>7}" for value in self.separation.values())
        rates = (_rate(self.ok, "NG"), _rate(self.ok, "review"), _rate(self.ng, "OK"), _rate(self.ng, "review"))
        invalid = f"{self.ok.get('invalid', 0)} + {self.ng.get('invalid', 0)}"
        return (
            f"{self.data:14}{self.rules:8}{self.n_train:5} {figures}"
            + "".join(f"{r:>24}" for r in rates)
            + (f"{invalid:>10}")
        )


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", required=True, help="a data set, or DIR:RECIPE; repeatable")
    parser.add_argument("--now-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.json:
        print(
            f"{'set':14}{'rules':8}{'train':>5}   image   pixel   AUPRO"
            f"{'OK rejected':>24}{'OK to review':>24}{'NG escaped':>24}{'NG to review':>24}{'invalid':>10}"
        )
    rows = []
    for item in options.data:
        folder, _, recipe = item.partition(":")
        if not Path(folder).is_dir():
            print(f"{folder} is missing, so nothing was measured on it.")
            continue
        for rules in ("now",) if options.now_only else ("before", "now"):
            rows.append(measure(Path(folder), recipe or "default", rules))
            if not options.json:
                print(rows[-1], flush=True)
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))


def measure(folder: Path, recipe: str, rules: str) -> Row:
    """Train on the OK photos of `folder`, and judge its test photos."""
    settings = BEFORE if rules == "before" and recipe == "default" else ()
    taught = andon.train(folder, recipe=recipe, settings=settings)
    if rules == "before":
        taught = with_the_first_rules(taught)
    ng_names = recipes.build(recipe).data.ng_names
    samples = datasets.read(folder, also_ng=ng_names).samples
    results = judged(taught, [s for s in samples if s.split == "test" and s.is_anomalous is not None])
    separation = {name: _figure(name, results) for name in SEPARATION}
    ok, ng = (Counter(results.verdicts[results.is_anomalous == truth].tolist()) for truth in (False, True))
    return Row(folder.name, rules, len(taught.manifest.trained), separation, dict(ok), dict(ng))


def with_the_first_rules(taught: Taught) -> Taught:
    """The plain 99th percentile of the same held-out scores, without review and without a guard."""
    assert taught.calibration is not None
    threshold = just_above(float(np.percentile(taught.calibration.ok_scores, 99)))
    calibration = replace(taught.calibration, threshold=threshold, review_threshold=None)
    return replace(taught, pipeline=replace(taught.pipeline, calibration=calibration, guard=None))


def _figure(name: str, results: Results) -> float | None:
    try:
        return float(metrics.measure(name, results).value)
    except Undefined:
        return None


def _rate(verdicts: dict[str, int], verdict: str) -> str:
    n, k = sum(verdicts.values()), verdicts.get(verdict, 0)
    low, high = clopper_pearson(k, n)
    return f"{k} of {n} ({100 * low:.0f} to {100 * high:.0f} %)"


if __name__ == "__main__":
    main()
