"""Train a recipe with OK photos, judge others at the threshold that this gives, and put the rates into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from andon.datasets import Dataset
from andon.evaluation import Accumulator, Results, metrics
from andon.evaluation.headlines import ESCAPES, FALSE_REJECTS, NG_REVIEWS, OK_REVIEWS
from andon.evaluation.inspect_labelled import inspect_labelled
from andon.evaluation.undefined import Undefined
from andon.models.taught import Taught
from andon.recipes import Recipe
from andon.teaching.train import teach
from andon.types import Failure, Sample

RATES = {FALSE_REJECTS: "rejected", OK_REVIEWS: "review of OK", ESCAPES: "escaped", NG_REVIEWS: "review of NG"}
"""The rates that stand beside every AUROC."""


def judge(recipe: Recipe, taught: Sequence[Sample], tested: Sequence[Sample]) -> Results:
    """Train and calibrate with `taught`, whatever they show, as OK photos; the inspections of `tested`."""
    good = tuple(replace(s, is_anomalous=False, split="train", defect=None, masks=(), outlines=()) for s in taught)
    return judged(teach(recipe, Dataset(taught[0].path.parent, "folder", good), allow_duplicates=True), tested)


def judged(model: Taught, tested: Sequence[Sample]) -> Results:
    """What the model says of labelled photos."""
    accumulator = Accumulator()
    for sample, result, mask in inspect_labelled(model.pipeline, tested):
        if isinstance(result, Failure):
            raise SystemExit(result.error)
        accumulator.add(sample, result, mask)
    return accumulator.results()


def rates(results: Results) -> dict[str, str]:
    """The rates in words, as "3 of 71 = 4.2 % [0.9, 11.9]"; what is undefined is left out."""
    found = {}
    for name, word in RATES.items():
        try:
            figure = metrics.measure(name, results)
        except Undefined:
            continue
        assert figure.count is not None and figure.interval is not None  # of a rate
        (k, n), (low, high) = figure.count, figure.interval
        found[word] = f"{k} of {n} = {100 * figure.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    return found


def rates_line(results: Results) -> str:
    """The rates on one line."""
    return ", ".join(f"{word} {figure}" for word, figure in rates(results).items())
