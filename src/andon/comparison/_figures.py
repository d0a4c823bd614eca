"""The figures of every method and the differences between them: what `andon compare --json` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import combinations
from typing import Any

from andon.comparison._outcomes import Comparison, Outcome
from andon.evaluation import metrics
from andon.evaluation.burden import burden
from andon.evaluation.headlines import AT_THRESHOLD, HEADLINES, IMAGE_AUROC, PIXELS
from andon.evaluation.intervals import LEVEL, Interval, clopper_pearson
from andon.evaluation.paired import Estimate, Judged, auroc, auroc_difference, rate_difference
from andon.evaluation.pixel_resampling import Resampled, resample
from andon.evaluation.undefined import Undefined

Figures = dict[str, Any]
Areas = Resampled | Undefined


def figures_of(comparison: Comparison) -> Figures:
    """Plain values.

    Returns:
        metrics: title, meaning, unit and direction of every figure that is compared.
        methods: those whose verdicts do best first (`burden`, then the image AUROC); each with its figures, their
            intervals, the counts of its rates, what is undefined, and its cost.
        recommended: the name of the first; None where a single one is left.
        differences: of each pair of methods and each figure; `is_shown` where the interval leaves out 0. They are
            widened so that those of all pairs hold at once in 95 % of comparisons (Bonferroni).
        disagreements: photos that were given different verdicts, the NG photos that the fewest methods caught first.
    """
    areas = {outcome.name: _pixel_areas(outcome) for outcome in comparison.outcomes}
    methods = [_of_method(outcome, areas[outcome.name]) for outcome in comparison.outcomes]
    methods.sort(key=lambda method: (round(method["burden"], 9), -(method[IMAGE_AUROC] or 0.0)))
    n_ng = sum(bool(sample.is_anomalous) for sample in comparison.samples)
    return {
        "data": comparison.plan.dataset.root.resolve().name,
        "n_ok": len(comparison.samples) - n_ng,
        "n_ng": n_ng,
        "folds": len(comparison.plan.rounds),
        "is_test": comparison.plan.is_test,
        "photos": comparison.plan.in_words,
        "untouched": [str(sample.path) for sample in comparison.plan.untouched],
        "metrics": {name: metrics.describe(name).to_dict() for name in HEADLINES},
        "methods": methods,
        "recommended": methods[0]["name"] if len(methods) > 1 else None,
        "differences": list(_all_differences(comparison, [method["name"] for method in methods], areas)),
        "disagreements": [str(comparison.samples[index].path) for index in disagreements(comparison)],
        "failed": comparison.failed,
        "left_out": comparison.left_out,
        "remarks": list(comparison.plan.remarks),
    }


def disagreements(comparison: Comparison) -> list[int]:
    """Which photos were given different verdicts: NG photos first, those that the fewest methods were right on."""
    verdicts = [outcome.judged.verdicts for outcome in comparison.outcomes]
    found = []
    for index, sample in enumerate(comparison.samples):
        given = [str(of_method[index]) for of_method in verdicts]
        if len(set(given)) > 1:
            right = given.count("NG" if sample.is_anomalous else "OK")
            found.append((not sample.is_anomalous, right, index))
    return [index for _, _, index in sorted(found)]


def _of_method(outcome: Outcome, areas: Areas) -> Figures:
    estimates = _estimates(outcome.judged, areas)
    defined = {name: found for name, found in estimates.items() if isinstance(found, Estimate)}
    return {
        "name": outcome.name,
        **{name: defined[name].value if name in defined else None for name in estimates},
        "intervals": {name: _within(found.interval) for name, found in defined.items()},
        "counts": {name: _count(name, outcome.judged) for name in AT_THRESHOLD if name in defined},
        "burden": burden(outcome.judged),
        "undefined": {name: str(found) for name, found in estimates.items() if isinstance(found, Undefined)},
        "seconds_to_train": outcome.seconds_to_teach,
        "milliseconds_per_photo": outcome.milliseconds,
        "train_megabytes": outcome.teach_bytes / 1e6,
        "inspect_megabytes": outcome.judge_bytes / 1e6,
        "model_megabytes": outcome.model_bytes / 1e6,
        "calibration": list(outcome.calibration),
        "remarks": list(outcome.remarks),
        "n_ng_trained_with": outcome.n_ng,
    }


def _estimates(judged: Judged, areas: Areas) -> dict[str, Estimate | Undefined]:
    pixels = dict.fromkeys(PIXELS, areas) if isinstance(areas, Undefined) else areas.estimates()
    return {
        IMAGE_AUROC: _or_why_not(auroc, judged),
        **pixels,
        **{name: _or_why_not(partial(_rate, name), judged) for name in AT_THRESHOLD},
    }


def _rate(name: str, judged: Judged) -> Estimate:
    counts = metrics.cases(name, judged)
    return Estimate(float(counts.mean()), clopper_pearson(int(counts.sum()), len(counts)))


def _count(name: str, judged: Judged) -> list[int]:
    counts = metrics.cases(name, judged)
    return [int(counts.sum()), len(counts)]


def _or_why_not(compute: Callable[[Judged], Estimate], judged: Judged) -> Estimate | Undefined:
    try:
        return compute(judged)
    except Undefined as reason:
        return reason


def _pixel_areas(outcome: Outcome) -> Areas:
    try:
        return resample(outcome.pixels, outcome.judged.is_anomalous, outcome.judged.fold)
    except Undefined as reason:
        return reason


def _within(interval: Interval) -> list[float]:
    """Cut to [0, 1]."""
    return [max(0.0, interval[0]), min(1.0, interval[1])]


def _all_differences(comparison: Comparison, names: list[str], areas: dict[str, Areas]) -> Iterator[Figures]:
    outcomes = {outcome.name: outcome for outcome in comparison.outcomes}
    pairs = list(combinations(names, 2))
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    for one, other in pairs:
        found = _differences(outcomes[one], outcomes[other], areas[one], areas[other], level)
        for name, (value, interval) in found.items():
            yield {
                "of": one,
                "against": other,
                "figure": name,
                "difference": value,
                "interval": list(interval),
                "is_shown": not interval[0] <= 0 <= interval[1],
            }


def _differences(one: Outcome, other: Outcome, areas: Areas, other_areas: Areas, level: float) -> dict[str, Estimate]:
    """The figures that have a meaning."""
    found: dict[str, Estimate] = {}
    with suppress(Undefined):
        found[IMAGE_AUROC] = auroc_difference(one.judged, other.judged, level)
    if not isinstance(areas, Undefined) and not isinstance(other_areas, Undefined):
        found |= areas.minus(other_areas).estimates(level)
    for name in AT_THRESHOLD:
        with suppress(Undefined):
            found[name] = rate_difference(metrics.cases(name, one.judged), metrics.cases(name, other.judged), level)
    return found
