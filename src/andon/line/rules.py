"""How thresholds are made from the scores of held-out photos."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError, NotCalibratedError
from andon.line.promises import conformal_rank, percent, photos_needed
from andon.robust import centre_and_spread

Method = Literal["percentile", "conformal", "tail-fit", "target-recall", "given"]
ScoreArray = NDArray[np.float64]
MIN_PHOTOS = 2
FEW = 10
"""With fewer photos a threshold below the highest score would reject too many: NG lies at the top, review below."""
REVIEW_PHOTOS = 3
"""The band begins where so many OK photos at least lie above, as far as there are twice as many."""
REVIEW_PERCENTILE = 95.0
TAIL_REVIEW_PERCENTILE = 97.5


@dataclass(frozen=True, kw_only=True)
class CalibrationRule:
    """How thresholds are made from scores.

    No rule but the plain percentile of the customers' documents rests on one photo.

    Attributes:
        method: "percentile" of the OK scores; "conformal", which holds a false-reject rate on average for any
            distribution of scores (Vovk et al. 2005; Angelopoulos & Bates 2021, section 1); "tail-fit", the percentile
            of a normal distribution with median and MAD of the log scores; "target-recall" on labelled NG photos; or
            "given" by hand.
        percentile: in (0, 100), for "percentile" and "tail-fit".
        photos_above: so many of ten OK photos or more lie above the threshold of "percentile" at least; 0 is numpy's
            plain percentile.
        false_reject_rate: share of good parts that may be rejected, in (0, 1), for "conformal".
        recall: share of NG photos to be caught, in (0, 1], for "target-recall".
        review: whether scores just below the threshold get the verdict "review".
        review_percentile: in (0, 100); the band begins at this percentile, lower where fewer than three OK photos would
            lie above it. None is the 95th, of "tail-fit" the 97.5th.
        given: the threshold, for "given".
        given_review: where the band begins, for "given"; None for no band.
    """

    method: Method = "percentile"
    percentile: float = 99.0
    photos_above: int = 1
    false_reject_rate: float = 0.01
    recall: float = 0.95
    review: bool = True
    review_percentile: float | None = None
    given: float | None = None
    given_review: float | None = None

    def __post_init__(self) -> None:
        _require(0 < self.percentile < 100, "percentile", self.percentile, "between 0 and 100")
        _require(0 <= self.photos_above < FEW, "photos_above", self.photos_above, f"from 0 to {FEW - 1}")
        _require(0 < self.false_reject_rate < 1, "false_reject_rate", self.false_reject_rate, "between 0 and 1")
        _require(0 < self.recall <= 1, "recall", self.recall, "above 0 and at most 1")
        if self.review_percentile is not None:
            _require(0 < self.review_percentile < 100, "review_percentile", self.review_percentile, "between 0 and 100")
        if self.method == "given" and self.given is None:
            raise ConfigError("calibration.method is 'given', but calibration.given is not; set it to the threshold.")
        for name, value in (("given", self.given), ("given_review", self.given_review)):
            _require(value is None or math.isfinite(value), name, value or 0.0, "a finite number")
        if self.given is not None and self.given_review is not None:
            _require(self.given_review < self.given, "given_review", self.given_review, f"below {self.given:g}")

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
        """The score from which on a photo is NG.

        Raises:
            NotCalibratedError: "tail-fit", and a score is not above 0.
        """
        if self.method == "given":
            assert self.given is not None  # the constructor saw to it
            return self.given
        if self.method == "target-recall":
            assert ng_scores is not None  # `check` saw to it
            return float(np.sort(ng_scores)[::-1][math.ceil(self.recall * len(ng_scores)) - 1])
        if self.method == "conformal":
            return just_above(float(np.sort(ok_scores)[conformal_rank(len(ok_scores), self.false_reject_rate) - 1]))
        if self.method == "tail-fit":
            return just_above(_tail(ok_scores, self.percentile))
        return just_above(self._percentile(ok_scores))

    def review_threshold(self, ok_scores: ScoreArray, threshold: float) -> float | None:
        """The score from which on a photo below `threshold` is for review; None where no score would be.

        With fewer than six photos half of them, not three, lie above it.
        """
        if not self.review or (self.method == "given" and self.given_review is None):
            return None
        if self.method == "given" and self.given_review is not None:
            begins = self.given_review
        elif self.method == "tail-fit":
            begins = just_above(_tail(ok_scores, self.review_percentile or TAIL_REVIEW_PERCENTILE))
        else:
            supported = _highest(ok_scores, 1 + min(REVIEW_PHOTOS, len(ok_scores) // 2))
            percentile = float(np.percentile(ok_scores, self.review_percentile or REVIEW_PERCENTILE))
            begins = just_above(min(percentile, supported))
        return begins if begins < threshold else None

    def pixel_threshold(self, ok_map_peaks: ScoreArray) -> float:
        """The map value from which on a pixel belongs to a region, from the largest map value of each OK photo.

        It lets through as many OK photos with a box as `threshold` rejects. NG photos and a threshold given by hand say
        nothing of single pixels, so these take the percentile; so does "tail-fit" where a map is zero throughout.
        """
        if self.method == "conformal" or (self.method == "tail-fit" and ok_map_peaks.min() > 0):
            return self.threshold(ok_map_peaks)
        return just_above(self._percentile(ok_map_peaks))

    def _percentile(self, values: ScoreArray) -> float:
        plain = float(np.percentile(values, self.percentile))
        return plain if len(values) < FEW else min(plain, _highest(values, 1 + self.photos_above))


def just_above(value: float) -> float:
    """The next number that float32 knows, as scores and maps are float32.

    A threshold that lies on an OK score must not reject it, nor its ties: the promise counts what lies above.
    """
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))


def _highest(values: ScoreArray, rank: int) -> float:
    """The value of that rank, 1 the highest; ties have ranks of their own."""
    return float(np.sort(values)[-rank])


def _tail(values: ScoreArray, percentile: float) -> float:
    if values.min() <= 0:
        raise NotCalibratedError(
            f"The method tail-fit takes logarithms, but an OK photo scores {values.min():.4g}; choose another --method."
        )
    logs = np.log(values)
    centre, sigma = map(float, centre_and_spread(logs))
    return math.exp(centre + NormalDist().inv_cdf(percentile / 100) * sigma)


def _require(holds: bool, name: str, value: float, expected: str) -> None:
    if not holds:
        raise ConfigError(f"calibration.{name} is {value:g}; it must be {expected}.")
