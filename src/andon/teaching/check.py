"""Whether a model's promise holds for photos of another day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from andon.config import Tree
from andon.errors import DatasetError, NotCalibratedError
from andon.evaluation.intervals import Interval, clopper_pearson
from andon.line.promises import percent
from andon.models.taught import Taught
from andon.progress import track
from andon.types import Failure, Inspection

Outcome = Literal["kept", "broken", "too few"]
MOST_ASKED = 100_000


@dataclass(frozen=True, kw_only=True)
class Checked:
    """OK photos that the model had not seen, and what it said of them.

    Attributes:
        inspections: one per picture, by falling score; identical files count once.
        failures: photos that could not be inspected, in sentences. They do not count.
        promised: the share of good parts that the threshold rejects on average, (k + 1) / (n + 1) where k of the n
            photos that calibrated lie above it.
        usual: median score of the photos that calibrated.
    """

    inspections: tuple[Inspection, ...]
    failures: tuple[str, ...]
    promised: float
    usual: float

    @property
    def n(self) -> int:
        """How many pictures were judged."""
        return len(self.inspections)

    def of(self, verdict: str) -> list[Inspection]:
        """The inspections with that verdict."""
        return [inspection for inspection in self.inspections if inspection.verdict == verdict]

    @property
    def interval(self) -> Interval:
        """95 % interval of the share that is rejected (Clopper and Pearson 1934)."""
        return clopper_pearson(len(self.of("NG")), self.n)

    @property
    def outcome(self) -> Outcome:
        """Kept where the whole interval is at most what was promised, broken where all of it lies above."""
        low, high = self.interval
        return "kept" if high <= self.promised else "broken" if low > self.promised else "too few"

    def to_tree(self) -> Tree:
        """Plain values."""
        low, high = self.interval
        counts = Counter(inspection.verdict for inspection in self.inspections)
        return {
            "n": self.n,
            "rejected": counts["NG"],
            "verdicts": dict(counts),
            "interval": [low, high],
            "promised": self.promised,
            "outcome": self.outcome,
            "median_score": float(np.median([one.score for one in self.inspections])),
            "median_score_of_calibration": self.usual,
            "rejected_photos": [{"path": str(one.path), "score": one.score} for one in self.of("NG")],
            "failures": list(self.failures),
            "in_words": in_words(self),
        }


def check(model: Taught, photos: Sequence[Path]) -> Checked:
    """Inspect OK photos of another day.

    Raises:
        DatasetError: the model was trained or calibrated with one of the photos, or none could be inspected.
        NotCalibratedError: the model has no threshold yet.
    """
    calibration = model.calibration
    if calibration is None:
        raise NotCalibratedError("The model has no threshold yet; calibrate it with 'andon calibrate'.")
    by_digest: dict[str, Inspection] = {}
    failures = []
    for result in track(model.pipeline.inspect_batch(photos), "Checking", len(photos)):
        if isinstance(result, Failure):
            failures.append(result.error)
        else:
            by_digest[result.sha256] = result
    known = [by_digest[digest] for digest in by_digest if digest in model.manifest.seen]
    if known:
        raise DatasetError(
            f"{len(known)} of the {len(photos)} photos trained or calibrated this model, {known[0].path} for one, so "
            "they say nothing of another day; give photos that it has never seen."
        )
    if not by_digest:
        why = failures[0] if failures else "there are none"
        raise DatasetError(f"None of the {len(photos)} photos could be inspected: {why}")
    ordered = tuple(sorted(by_digest.values(), key=lambda one: -one.score))
    usual = float(np.median(calibration.ok_scores))
    return Checked(inspections=ordered, failures=tuple(failures), promised=calibration.rejects.on_average, usual=usual)


def photos_to_tell(promised: float) -> int | None:
    """With how many photos, none of them rejected, the promise is known to be kept; None beyond 100,000."""
    n = int(np.ceil(np.log(0.025) / np.log1p(-promised))) if promised < 1 else 1
    return n if n <= MOST_ASKED else None


def in_words(checked: Checked) -> str:
    """What came out, in sentences."""
    n, k = checked.n, len(checked.of("NG"))
    low, high = checked.interval
    review, invalid = len(checked.of("review")), len(checked.of("invalid"))
    now = float(np.median([one.score for one in checked.inspections]))
    said = [
        f"{k} of {n} OK photos are rejected, {percent(k / n)} (95 % interval {percent(low)} to {percent(high)}), "
        f"{review} for review, {invalid} invalid.",
        f"Promised were {percent(checked.promised)} on average. {_outcome(checked)}",
        f"Their median score is {now:.4g}, that of the photos that calibrated {checked.usual:.4g}.",
    ]
    return " ".join(said)


def _outcome(checked: Checked) -> str:
    if checked.outcome == "kept":
        return "The promise is kept."
    if checked.outcome == "broken":
        return "The promise is broken: the whole interval lies above it."
    needed = photos_to_tell(checked.promised)
    enough = "" if needed is None else f"; {max(needed, checked.n + 1)} or more might"
    return f"{checked.n} photos are too few to tell whether the promise is kept{enough}."
