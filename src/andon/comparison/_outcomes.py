"""From what the trials left behind to arrays with one entry per photo, the same photos for every method."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from andon.comparison._job import PIXELS
from andon.comparison._plan import Plan
from andon.evaluation.intervals import Values
from andon.evaluation.paired import Judged
from andon.recipes import Recipe
from andon.types import Sample


@dataclass(frozen=True)
class Method:
    """One of the ways that are compared, by the name that tells it from the others."""

    name: str
    recipe: Recipe


@dataclass(frozen=True)
class Trial:
    """A method on one round: the folder that it left behind, and the content of its two JSON files."""

    folder: Path
    taught: dict[str, Any]
    judged: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one method said of the photos, and what it cost.

    Attributes:
        judged: one entry per photo.
        pixels: (n, 3, B) histograms of each photo's map, see `PixelCurves.coarse`.
        sigmas: (n,) scores in standard deviations of the OK photos.
        pictures: (n) the photo with the method's deviation, as JPEG files.
        seconds_to_teach: of one model, calibration included; the mean over the rounds.
        milliseconds: the median time from a photo's file to its verdict, one photo at a time.
        teach_bytes, judge_bytes: peak memory of the whole process.
        model_bytes: of the model file, without the backbone's weights.
        calibration: what the thresholds rest on, a sentence per round.
        remarks: what was noticed while it was trained, in any round.
        n_ng: the most NG photos that it learned from in a round.
    """

    name: str
    judged: Judged
    pixels: Values
    sigmas: Values
    pictures: tuple[Path, ...]
    seconds_to_teach: float
    milliseconds: float
    teach_bytes: int
    judge_bytes: int
    model_bytes: int
    calibration: tuple[str, ...]
    remarks: tuple[str, ...]
    n_ng: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All outcomes on the photos that every method could judge.

    Attributes:
        samples: these photos, in the order of the outcomes' entries.
        failed: name of a method -> the sentence that says why it could not be compared.
        left_out: photo -> why a method could not judge it.
    """

    plan: Plan
    samples: tuple[Sample, ...]
    outcomes: tuple[Outcome, ...]
    failed: dict[str, str]
    left_out: dict[str, str]


def collect(plan: Plan, trials: dict[str, list[Trial]], failed: dict[str, str]) -> Comparison:
    """Put the trials of all rounds together.

    Args:
        trials: name of a method -> one trial per round.
    """
    left_out = {
        path: f"{name}: {photo['error']}"
        for name, rounds in trials.items()
        for trial in rounds
        for path, photo in trial.judged["photos"].items()
        if "error" in photo
    }
    kept = np.array([str(sample.path) not in left_out for sample in plan.judged], dtype=bool)
    return Comparison(
        plan=plan,
        samples=tuple(sample for sample, is_kept in zip(plan.judged, kept, strict=True) if is_kept),
        outcomes=tuple(_outcome(plan, name, rounds, kept) for name, rounds in trials.items()),
        failed=failed,
        left_out=left_out,
    )


def _outcome(plan: Plan, name: str, trials: Sequence[Trial], kept: np.ndarray[Any, np.dtype[np.bool_]]) -> Outcome:
    photos = [
        trial.judged["photos"][str(s.path)] for trial, r in zip(trials, plan.rounds, strict=True) for s in r.judge
    ]
    said = [photo for photo, is_kept in zip(photos, kept, strict=True) if is_kept]
    fold = np.repeat(np.arange(len(plan.rounds)), [len(one.judge) for one in plan.rounds])
    pictures = [
        trial.folder / f"{number}.jpg"
        for trial, one in zip(trials, plan.rounds, strict=True)
        for number in range(len(one.judge))
    ]
    return Outcome(
        name=name,
        judged=Judged(
            is_anomalous=np.array([bool(sample.is_anomalous) for sample in plan.judged])[kept],
            fold=fold[kept],
            scores=np.array([photo["score"] for photo in said], dtype=np.float64),
            verdicts=np.array([photo["verdict"] for photo in said]),
        ),
        pixels=_aligned([trial.folder / PIXELS for trial in trials])[kept],
        sigmas=np.array([photo["sigma"] for photo in said], dtype=np.float64),
        pictures=tuple(picture for picture, is_kept in zip(pictures, kept, strict=True) if is_kept),
        seconds_to_teach=statistics.mean(trial.taught["seconds"] for trial in trials),
        milliseconds=statistics.median(trial.judged["milliseconds"] for trial in trials),
        teach_bytes=max(trial.taught["memory_bytes"] for trial in trials),
        judge_bytes=max(trial.judged["memory_bytes"] for trial in trials),
        model_bytes=max(trial.taught["model_bytes"] for trial in trials),
        calibration=tuple(trial.taught["calibration"] for trial in trials),
        remarks=tuple(dict.fromkeys(remark for trial in trials for remark in trial.taught["remarks"])),
        n_ng=max(trial.taught["n_ng"] for trial in trials),
    )


def _aligned(files: Sequence[Path]) -> Values:
    """The histograms of all rounds, (n, 3, B), over the same bins."""
    parts = []
    for file in files:
        with np.load(file) as stored:
            parts.append((int(stored["first"]), stored["histograms"].astype(np.float64)))
    first = min(start for start, _ in parts)
    last = max(start + part.shape[2] for start, part in parts)
    padded = [np.pad(part, ((0, 0), (0, 0), (start - first, last - start - part.shape[2]))) for start, part in parts]
    return np.concatenate(padded)
