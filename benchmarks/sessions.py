"""What a threshold from some capture sessions promises, and what the other sessions get.

    python benchmarks/sessions.py --data DIR --session-from '_(\\d{6})\\d{6}_' [--sessions 1,2,4,7] [--set ...]

All OK photos of the data set take part, whatever split they are in. A model is trained with those of the first sessions
by name, with folds by chance and with folds of whole sessions, and judges the photos of all later ones. The
promise is what such a threshold rejects on average; standard error says what `andon info` says of the sessions.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from andon import datasets, recipes
from andon.datasets import Dataset
from andon.evaluation.intervals import clopper_pearson
from andon.line.pipeline import Pipeline
from andon.line.sessions import by_session, in_words
from andon.recipes import Recipe
from andon.teaching.thresholds import score_ok
from andon.teaching.train import teach
from andon.types import Sample


def main() -> None:
    """Print one row per number of sessions and way of holding out, and what each later session gets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--session-from", required=True)
    parser.add_argument("--sessions", default="1,2,4,7", help="how many of the first sessions train")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    options = parser.parse_args()

    dataset = datasets.read(options.data)
    ok = tuple(replace(s, split="train") for s in dataset.samples if s.is_anomalous is False)
    pooled = datasets.with_sessions(replace(dataset, samples=ok), options.session_from)
    sessions = datasets.sessions_of(pooled.samples)
    print(", ".join(f"{name}: {len(photos)}" for name, photos in sessions.items()))
    print("| sessions | photos | folds | promise | threshold | later photos rejected | 95 % | by session |")
    print("|---|---|---|---|---|---|---|---|")
    recipe = recipes.build(options.recipe, options.settings)
    for number in map(int, options.sessions.split(",")):
        names = list(sessions)
        first = [photo for name in names[:number] for photo in sessions[name]]
        later = {name: sessions[name] for name in names[number:]}
        for ways in ("by chance",) if number == 1 else ("by chance", "by session"):
            taught_by = first if ways == "by session" else [replace(photo, session=None) for photo in first]
            print(row(recipe, pooled, taught_by, later, number, ways), flush=True)


def row(
    recipe: Recipe, dataset: Dataset, first: list[Sample], later: dict[str, list[Sample]], number: int, ways: str
) -> str:
    """One model's row."""
    model = teach(recipe, replace(dataset, samples=tuple(first), session_note=""))
    assert model.calibration is not None
    bar = model.calibration.threshold
    promise = model.calibration.rejects.on_average
    known = model.manifest.sessions
    rows = by_session(model.calibration, known.names, known.numbers)
    print(f"{number} sessions, folds {ways}: {in_words(rows)}", file=sys.stderr)
    rejected = {name: _rejected(model.pipeline, photos, bar) for name, photos in later.items()}
    k, n = sum(rejected.values()), sum(map(len, later.values()))
    low, high = clopper_pearson(k, n)
    each = ", ".join(f"{name} {rejected[name]}/{len(photos)}" for name, photos in later.items())
    return (
        f"| {number} | {len(first)} | {ways} | {promise:.1%} | {bar:.4g} | {k} of {n} ({k / n:.0%}) | "
        f"{low:.0%} to {high:.0%} | {each} |"
    )


def _rejected(pipeline: Pipeline, photos: list[Sample], bar: float) -> int:
    scores = np.array([photo.score for photo in score_ok(pipeline, [photo.path for photo in photos])])
    return int((scores >= bar).sum())


if __name__ == "__main__":
    main()
