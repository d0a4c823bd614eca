"""From a score to a verdict: the threshold, and how sure it is, from the scores of held-out OK photos.

The photos must be ones that the model was not trained with, else the threshold is too low and good parts are
rejected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from andon.config import Tree, to_dict
from andon.errors import ConfigError, NotCalibratedError
from andon.types import Verdict

Method = Literal["percentile", "conformal", "target-recall"]
ScoreArray = NDArray[np.float64]
MIN_PHOTOS = 2
SWEPT_RECALLS = (1.0, 0.99, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.5)


@dataclass(frozen=True, kw_only=True)
class CalibrationRule:
    """How thresholds are made from scores.

    Attributes:
        method: "percentile" of the OK scores; "conformal", which holds a false-reject rate for any distribution of
            scores (Vovk et al. 2005; Angelopoulos & Bates 2021, section 1); or "target-recall" on labelled NG photos.
        percentile: in (0, 100), for "percentile".
        false_reject_rate: share of good parts that may be rejected, in (0, 1), for "conformal".
        recall: share of NG photos to be caught, in (0, 1], for "target-recall".
        review_percentile: from this percentile of the OK scores up to the threshold the verdict is "review"; None for
            no such band.
    """

    method: Method = "percentile"
    percentile: float = 99.0
    false_reject_rate: float = 0.01
    recall: float = 0.95
    review_percentile: float | None = None

    def __post_init__(self) -> None:
        _require(0 < self.percentile < 100, "percentile", self.percentile, "between 0 and 100")
        _require(0 < self.false_reject_rate < 1, "false_reject_rate", self.false_reject_rate, "between 0 and 1")
        _require(0 < self.recall <= 1, "recall", self.recall, "above 0 and at most 1")
        if self.review_percentile is not None:
            _require(0 < self.review_percentile < 100, "review_percentile", self.review_percentile, "between 0 and 100")

    def check(self, n_ok: int, n_ng: int = 0) -> None:
        """Refuse, before any long work, a number of photos from which this rule cannot make a threshold.

        Raises:
            NotCalibratedError: too few photos; the message says how many are needed and what the present ones allow.
        """
        if n_ok < MIN_PHOTOS:
            raise NotCalibratedError(
                f"A threshold needs at least {MIN_PHOTOS} held-out OK photos, but there are {n_ok}."
            )
        if self.method == "target-recall" and n_ng == 0:
            raise NotCalibratedError(
                "The method target-recall needs labelled NG photos; name their folder: "
                "andon calibrate MODEL OK_DIR --ng NG_DIR."
            )
        if self.method == "conformal" and conformal_rank(n_ok, self.false_reject_rate) > n_ok:
            raise NotCalibratedError(
                f"{n_ok} calibration photos can promise a false-reject rate of {percent(1 / (n_ok + 1))} at best, but "
                f"{percent(self.false_reject_rate)} was asked for: add OK photos until there are "
                f"{photos_needed(self.false_reject_rate)}, or ask for --false-reject-rate "
                f"{math.ceil(1000 / (n_ok + 1)) / 1000:g}."
            )

    def threshold(self, ok_scores: ScoreArray, ng_scores: ScoreArray | None = None) -> float:
        """The score from which on a photo is NG."""
        if self.method == "percentile":
            return just_above(float(np.percentile(ok_scores, self.percentile)))
        if self.method == "conformal":
            return just_above(float(np.sort(ok_scores)[conformal_rank(len(ok_scores), self.false_reject_rate) - 1]))
        assert ng_scores is not None  # `check` saw to it
        return float(np.sort(ng_scores)[::-1][math.ceil(self.recall * len(ng_scores)) - 1])

    def pixel_threshold(self, ok_map_peaks: ScoreArray) -> float:
        """The map value from which on a pixel belongs to a region, from the largest map value of each OK photo.

        It lets through as many OK photos with a box as `threshold` rejects. NG photos say nothing of single pixels,
        so "target-recall" takes the percentile.
        """
        if self.method == "conformal":
            return self.threshold(ok_map_peaks)
        return just_above(float(np.percentile(ok_map_peaks, self.percentile)))


def just_above(value: float) -> float:
    """The next number that float32 knows, as scores and maps are float32.

    A threshold that lies on an OK score must not reject it, nor its ties: the promise counts what lies above.
    """
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the held-out OK photos say of a score.

    Attributes:
        ok_scores: (n,) float64, ascending.
        threshold: a score at or above it is NG.
        review_threshold: a score at or above it and below `threshold` is for a person to judge; None for no such band.
        pixel_threshold: map values at or above it make regions.
    """

    rule: CalibrationRule
    ok_scores: ScoreArray
    threshold: float
    review_threshold: float | None
    pixel_threshold: float

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

    def summary(self) -> Tree:
        """For people: with the number of scores in their place, and in words."""
        return {**self.to_tree(), "n_ok": len(self.ok_scores), "in_words": self.describe()}

    def describe(self) -> str:
        """One sentence on what the threshold rests on and what it can promise."""
        n = len(self.ok_scores)
        rejected = int((self.ok_scores >= self.threshold).sum())
        what = {
            "percentile": f"the {self.rule.percentile:g}th percentile",
            "conformal": f"conformal at a false-reject rate of {percent(self.rule.false_reject_rate)}",
            "target-recall": f"the score that catches {percent(self.rule.recall)} of the NG photos",
        }[self.rule.method]
        promise = f"{n} photos can promise a false-reject rate of {percent(1 / (n + 1))} at best"
        if self.rule.method == "target-recall":
            promise = f"{rejected} of the OK photos ({percent(rejected / n)}) lie above it"
        return f"Threshold {self.threshold:.4g}: {what}, from {n} held-out OK photos; {promise}."


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
    threshold = rule.threshold(ok, np.asarray(ng_scores, dtype=np.float64))
    review = None if rule.review_percentile is None else just_above(float(np.percentile(ok, rule.review_percentile)))
    return Calibration(rule, ok, threshold, review, rule.pixel_threshold(np.asarray(ok_map_peaks, dtype=np.float64)))


class Choice(NamedTuple):
    """What one threshold would do: the share of NG photos caught and of OK photos rejected, and their numbers."""

    threshold: float
    recall: float
    n_caught: int
    false_reject_rate: float
    n_rejected: int


def sweep(ok_scores: ScoreArray, ng_scores: ScoreArray) -> list[Choice]:
    """Thresholds to choose from: the highest for each recall in `SWEPT_RECALLS`, that which catches all NG first."""
    ok, ng = np.sort(ok_scores), np.sort(ng_scores)[::-1]
    ranks = dict.fromkeys(math.ceil(recall * len(ng)) for recall in SWEPT_RECALLS)
    choices = []
    for threshold in dict.fromkeys(float(ng[rank - 1]) for rank in ranks):
        caught, rejected = int((ng >= threshold).sum()), int((ok >= threshold).sum())
        choices.append(Choice(threshold, caught / len(ng), caught, rejected / len(ok), rejected))
    return choices


def sweep_table(ok_scores: Sequence[float], ng_scores: Sequence[float]) -> str:
    """`sweep` for people, a line per threshold."""
    lines = [f"{'threshold':>12}{'NG caught':>18}{'OK rejected':>18}"]
    for choice in sweep(np.asarray(ok_scores), np.asarray(ng_scores)):
        caught = f"{choice.n_caught} of {len(ng_scores)} ({percent(choice.recall)})"
        rejected = f"{choice.n_rejected} of {len(ok_scores)} ({percent(choice.false_reject_rate)})"
        lines.append(f"{choice.threshold:>12.4g}{caught:>18}{rejected:>18}")
    return "\n".join(lines)


def conformal_rank(n: int, rate: float) -> int:
    """The rank, from 1, of the OK score that keeps the false-reject rate: ceil((n + 1)(1 - rate))."""
    return math.ceil((n + 1) * (1 - rate) - 1e-9)  # 100 * 0.99 is a little over 99 in binary


def photos_needed(rate: float) -> int:
    """The least number of OK photos with which conformal calibration can promise `rate`: ceil(1 / rate) - 1."""
    return math.ceil(1 / rate - 1e-9) - 1


def percent(rate: float) -> str:
    """A rate for people: 0.0182 is "1.8 %"."""
    return f"{100 * rate:.2g} %" if rate < 0.1 else f"{100 * rate:.3g} %"


def _require(holds: bool, name: str, value: float, expected: str) -> None:
    if not holds:
        raise ConfigError(f"calibration.{name} is {value:g}; it must be {expected}.")
