"""From a score to a verdict: the threshold, and how sure it is, from the scores of held-out OK photos.

The photos must be ones that the model was not trained with, else the threshold is too low and good parts are
rejected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from andon.config import Tree, to_dict
from andon.line.promises import Promise, percent, recall_bound
from andon.line.rules import FEW, CalibrationRule, ScoreArray
from andon.types import Verdict

__all__ = ["Calibration", "CalibrationRule", "calibrate"]
NONE = np.empty(0)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the held-out OK photos say of a score.

    Attributes:
        ok_scores: (n,) float64, ascending.
        threshold: a score at or above it is NG.
        review_threshold: a score at or above it and below `threshold` is for a person to judge; None for no such band.
        pixel_threshold: map values at or above it make regions.
        ng_scores: (m,) float64, ascending, of the labelled NG photos that it was calibrated with; often there are none.
    """

    rule: CalibrationRule
    ok_scores: ScoreArray
    threshold: float
    review_threshold: float | None
    pixel_threshold: float
    ng_scores: ScoreArray = field(default_factory=lambda: NONE)

    def verdict(self, score: float) -> Verdict:
        """OK, review or NG."""
        if score >= self.threshold:
            return "NG"
        if self.review_threshold is not None and score >= self.review_threshold:
            return "review"
        return "OK"

    def reasons(self, score: float) -> tuple[str, ...]:
        """Why `verdict` is what it is, in sentences; none for OK."""
        verdict = self.verdict(score)
        if verdict == "OK":
            return ()
        bar = self.threshold if verdict == "NG" else self.review_threshold
        name = "the threshold" if verdict == "NG" else "the review threshold"
        return (f"The score {score:.4g} is not below {name} {bar:.4g}.",)

    def p_value(self, score: float) -> float:
        """Conformal p-value: (1 + number of OK photos that score at least as high) / (n + 1)."""
        at_least = len(self.ok_scores) - int(np.searchsorted(self.ok_scores, score, side="left"))
        return (1 + at_least) / (len(self.ok_scores) + 1)

    def sigma(self, score: float) -> float:
        """(score - mean) / standard deviation of the OK scores."""
        mean = float(self.ok_scores.mean())
        spread = max(float(self.ok_scores.std(ddof=1)), 1e-6 * abs(mean), 1e-12)
        return (score - mean) / spread

    def confidence(self, score: float) -> float:
        """How sure it is that the photo is not OK: 0.68 at 1 sigma, 0.95 at 2, 0.997 at 3; 0 below the OK mean."""
        return math.erf(max(self.sigma(score), 0.0) / math.sqrt(2))

    def to_tree(self) -> Tree:
        """Rule and thresholds as plain values; the scores are an array."""
        return {
            "rule": to_dict(self.rule),
            "threshold": self.threshold,
            "review_threshold": self.review_threshold,
            "pixel_threshold": self.pixel_threshold,
        }

    @property
    def rejects(self) -> Promise:
        """What the OK photos say of good parts that will be NG."""
        return self._above(self.threshold)

    @property
    def sets_aside(self) -> Promise:
        """What they say of good parts that will be for review or NG."""
        return self._above(self.threshold if self.review_threshold is None else self.review_threshold)

    def _above(self, bar: float) -> Promise:
        return Promise(len(self.ok_scores), int((self.ok_scores >= bar).sum()))

    def summary(self) -> Tree:
        """For people: with the number of scores in their place, what they promise, and in words."""
        promise = {
            "ok_photos_above": self.rejects.above,
            "rejected_on_average": round(self.rejects.on_average, 4),
            "rejected_with_95_percent_confidence": round(self.rejects.with_confidence, 4),
            "set_aside_or_rejected_on_average": round(self.sets_aside.on_average, 4),
        }
        holds = {} if self.rule.method == "tail-fit" else {"promise": promise}
        return {**self.to_tree(), "n_ok": len(self.ok_scores), **holds, "in_words": self.describe()}

    def describe(self) -> str:
        """In sentences: what the thresholds rest on, and what they promise, on average and of this very model."""
        return " ".join([self._rests_on(), self._band(), *self._promises()])

    def _rests_on(self) -> str:
        rule = self.rule
        what = {
            "percentile": f"the {rule.percentile:g}th percentile",
            "conformal": f"conformal at a false-reject rate of {percent(rule.false_reject_rate)}",
            "tail-fit": f"the {rule.percentile:g}th percentile of a log-normal fit",
            "target-recall": f"the score that catches {percent(rule.recall)} of the NG photos",
            "given": "given by hand",
        }[rule.method]
        n, above = self.rejects
        return f"Threshold {self.threshold:.4g}: {what}, from {n} held-out OK photos; {_lie(above)} above it."

    def _band(self) -> str:
        if self.review_threshold is None:
            return "There is no review band."
        n, above = self.sets_aside
        return f"Review from {self.review_threshold:.4g}: {_lie(above)} there or above, {percent(above / n)}."

    def _promises(self) -> list[str]:
        rejects = self.rejects
        surely = f"{percent(rejects.with_confidence)} with 95 % confidence"
        if self.rule.method == "tail-fit":
            rate = percent(1 - self.rule.percentile / 100)
            return [
                f"If the logarithms of the scores are normal, {rate} of good parts are rejected; else none can say."
            ]
        if self.rule.method in ("target-recall", "given"):
            return [f"Of good parts like these it rejects at most {surely}.", *self._catches()]
        few = [f"With fewer than {FEW} photos NG begins at the highest OK score."] if rejects.n < FEW else []
        return [
            *few,
            f"Of good parts like these such thresholds reject at most {percent(rejects.on_average)} on average, "
            f"and this one at most {surely}.",
        ]

    def _catches(self) -> list[str]:
        n, caught = len(self.ng_scores), int((self.ng_scores >= self.threshold).sum())
        if self.rule.method != "target-recall" or not n:
            return []
        return [
            f"It caught {caught} of {n} NG photos: of defects like these such thresholds catch "
            f"{percent(caught / (n + 1))} on average, and this one at least {percent(recall_bound(caught, n))} with "
            "95 % confidence."
        ]


def _lie(number: int) -> str:
    return "none lies" if number == 0 else "1 lies" if number == 1 else f"{number} lie"


def calibrate(
    rule: CalibrationRule,
    ok_scores: Sequence[float],
    ok_map_peaks: Sequence[float],
    ng_scores: Sequence[float] = (),
) -> Calibration:
    """The thresholds that `rule` makes from the scores of held-out photos.

    Args:
        ok_map_peaks: the largest anomaly map value of each OK photo.
        ng_scores: scores of labelled NG photos, for "target-recall".

    Raises:
        NotCalibratedError: too few photos for the rule.
    """
    rule.check(len(ok_scores), len(ng_scores))
    ok = np.sort(np.asarray(ok_scores, dtype=np.float64))
    ng = np.sort(np.asarray(ng_scores, dtype=np.float64))
    threshold = rule.threshold(ok, ng)
    pixel_threshold = rule.pixel_threshold(np.asarray(ok_map_peaks, dtype=np.float64))
    return Calibration(rule, ok, threshold, rule.review_threshold(ok, threshold), pixel_threshold, ng)
