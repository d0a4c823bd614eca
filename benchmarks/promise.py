"""Whether thresholds keep what they promise, on the scores of real OK photos.

    python benchmarks/promise.py --data metal_plate/ --data alien/ --data cookie/

Each set is trained once with the default recipe; its held-out OK scores, each from a model that has not seen the photo,
are what is resampled, not the training. Two hundred times so many scores are drawn to calibrate, and the others are
judged: rejected, and set aside or rejected, with the interval in which 95 % of the two hundred lie. `surely` is the
share of resamplings that reject no more than the promise with 95 % confidence; it may lie below 95 %, as the few photos
that are left to judge scatter by themselves. Escapes are of the set's NG test photos, as the final model scores them.

Photos of one set are alike by construction, so this tests the rules. It says nothing of another day.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from andon import datasets, recipes
from andon.line.calibration import Calibration, CalibrationRule, calibrate
from andon.line.promises import percent
from andon.teaching.train import teach
from andon.types import Failure

RESAMPLINGS = 200
SIZES = (20, 30, 50, 100, 150, 200)
LEAST_JUDGED = 10
RULES = {
    "plain 99th percentile": CalibrationRule(photos_above=0),
    "default": CalibrationRule(),
    "conformal 5 %": CalibrationRule(method="conformal", false_reject_rate=0.05),
    "conformal 1 %": CalibrationRule(method="conformal", false_reject_rate=0.01),
    "tail-fit 99 %": CalibrationRule(method="tail-fit"),
}
Values = NDArray[np.float64]


class Line(NamedTuple):
    """Of one rule and number of photos, one value per resampling each."""

    promised: float | None
    sure: float | None
    rejected: Values
    aside: Values
    escaped: Values


def main() -> None:
    options = _options()
    print(
        "| set | photos | rule | promised: on average, surely | rejected | surely kept | review or rejected | escaped |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for data in options.data:
        ok, ng = scores_of(data, options)
        for n in (size for size in SIZES if size + LEAST_JUDGED <= len(ok)):
            for name, line in lines_of(ok, ng, n):
                print(_row(f"{data.name} ({len(ok)} OK, {len(ng)} NG)", n, name, line))


def scores_of(data: Path, options: argparse.Namespace) -> tuple[Values, Values]:
    """The held-out scores of the OK photos, and the final model's scores of the NG test photos."""
    file = None if options.cache is None else options.cache / f"{data.name}.json"
    if file is not None and file.exists():
        kept = json.loads(file.read_text())
        return np.array(kept["ok"]), np.array(kept["ng"])
    dataset = datasets.read(data, ng_names=options.ng_name)
    taught = teach(recipes.build(options.recipe, options.setting), dataset, allow_duplicates=True)
    damaged = [sample.path for sample in dataset.samples if sample.is_anomalous and sample.split in ("test", None)]
    scored = taught.pipeline.score_all(damaged)
    ng = np.array([result.score for result in scored if not isinstance(result, Failure)])
    assert taught.calibration is not None
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"ok": taught.calibration.ok_scores.tolist(), "ng": ng.tolist()}))
    return taught.calibration.ok_scores, ng


def lines_of(ok: Values, ng: Values, n: int) -> Iterator[tuple[str, Line]]:
    """Each rule with n photos, where they are enough for it; all rules on the same resamplings."""
    rng = np.random.default_rng(n)
    drawn = [rng.permutation(ok) for _ in range(RESAMPLINGS)]
    for name, rule in RULES.items():
        if rule.method == "conformal" and n < round(1 / rule.false_reject_rate) - 1:
            continue
        models = [calibrate(rule, scores[:n].tolist(), scores[:n].tolist()) for scores in drawn]
        rests = [scores[n:] for scores in drawn]
        promised = None if rule.method == "tail-fit" else float(np.mean([m.rejects.on_average for m in models]))
        sure = None if rule.method == "tail-fit" else float(np.mean([m.rejects.with_confidence for m in models]))
        yield (
            name,
            Line(
                promised,
                sure,
                np.array([(rest >= model.threshold).mean() for model, rest in zip(models, rests, strict=True)]),
                np.array([(rest >= _begins(model)).mean() for model, rest in zip(models, rests, strict=True)]),
                np.array([(ng < _begins(model)).mean() if len(ng) else np.nan for model in models]),
            ),
        )


def _begins(model: Calibration) -> float:
    return model.threshold if model.review_threshold is None else model.review_threshold


def _row(data: str, n: int, rule: str, line: Line) -> str:
    promised = "1 %, if log-normal" if line.promised is None else f"{percent(line.promised)}, {percent(line.sure or 0)}"
    kept = "" if line.sure is None else percent(float((line.rejected <= line.sure).mean()))
    cells = (data, str(n), rule, promised, _mean(line.rejected), kept, _mean(line.aside), _mean(line.escaped))
    return f"| {' | '.join(cells)} |"


def _mean(values: Values) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{100 * values.mean():.1f} % ({100 * low:.0f} to {100 * high:.0f})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="a set's folder; repeatable")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--ng-name", action="append", default=[], help="how the sets call NG; repeatable")
    parser.add_argument("--set", dest="setting", action="append", default=[], help="setting of the recipe; repeatable")
    parser.add_argument("--cache", type=Path, help="folder that keeps each set's scores for the next run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
