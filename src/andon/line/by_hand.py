"""Thresholds that a person gives."""

from __future__ import annotations

import logging
import math
from dataclasses import replace

from andon.errors import InputError
from andon.line.calibration import Calibration

MOST = 1e3  # times the largest OK score: a model with a threshold beyond it is taken for a damaged one
REMARK = "The threshold was given by hand."

LOG = logging.getLogger("andon")


def given(
    before: Calibration, threshold: float | None = None, review_threshold: float | None = None, *, review: bool = True
) -> Calibration:
    """The same scores with thresholds that are given; the one that is None stays where it is.

    A review band that would begin above a new threshold is dropped. The map's threshold stays.

    Args:
        review: whether there is a band.

    Raises:
        InputError: a threshold is no finite number, far from all scores, or not above the band's.
    """
    _check(before, threshold, "--threshold")
    _check(before, review_threshold, "--review-threshold")
    bar = before.threshold if threshold is None else threshold
    if review_threshold is not None and not review:
        raise InputError("--review-threshold and --no-review contradict each other; leave one of them out.")
    if review_threshold is not None and review_threshold >= bar:
        raise InputError(
            f"--review-threshold {review_threshold:g} is not below the threshold {bar:g}; give a lower one, or "
            "--no-review for no band."
        )
    band = before.review_threshold if review_threshold is None else review_threshold
    band = band if review and band is not None and band < bar else None
    rule = replace(before.rule, method="given", given=bar, given_review=band, review=band is not None)
    return replace(before, rule=rule, threshold=bar, review_threshold=band)


def _check(before: Calibration, value: float | None, option: str) -> None:
    if value is None:
        return
    most = MOST * max(1.0, abs(float(before.ok_scores[0])), abs(float(before.ok_scores[-1])))
    if math.isnan(value):
        raise InputError(f"{option} is not a number; give a score, such as {before.threshold:.4g}.")
    if abs(value) > most:
        raise InputError(
            f"{option} {value:g} is far from every score: OK photos score up to {before.ok_scores[-1]:.4g}; give a "
            "number near that."
        )
    if value <= before.ok_scores[0]:
        LOG.warning(
            f"{option} {value:g} is not above any of the {len(before.ok_scores)} held-out OK photos, which score from "
            f"{before.ok_scores[0]:.4g} to {before.ok_scores[-1]:.4g}: hardly a good part would be OK."
        )
