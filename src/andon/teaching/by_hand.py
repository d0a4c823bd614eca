"""Thresholds that a person gives, and what a new threshold changes."""

from __future__ import annotations

import logging
import math
from collections import Counter
from dataclasses import replace

from andon.errors import InputError, NotCalibratedError
from andon.line.calibration import Calibration
from andon.line.rules import ScoreArray
from andon.models.taught import Taught

MOST = 1e3  # times the largest OK score: a model with a threshold beyond it is taken for a damaged one

LOG = logging.getLogger("andon")


def rethreshold(
    model: Taught, threshold: float | None = None, review_threshold: float | None = None, *, review: bool = True
) -> Taught:
    """The same model with thresholds that are given; the one that is None stays where it is.

    A review band that would begin above a new threshold is dropped. Where neither is given, the band is made anew from
    the OK scores that the model holds, or dropped. The map's threshold stays.

    Args:
        review: whether there is a band.

    Raises:
        InputError: a threshold is no finite number, far from all scores, or not above the band's.
        NotCalibratedError: the model holds no OK scores.
    """
    before = model.calibration
    if before is None:
        raise NotCalibratedError(
            "The model knows no OK scores yet; calibrate it first with 'andon calibrate MODEL OK_DIR'."
        )
    if threshold is None and review_threshold is None:
        rule = replace(before.rule, review=review)
        band = rule.review_threshold(before.ok_scores, before.threshold)
        return _with(model, replace(before, rule=rule, review_threshold=band), "")
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
    after = replace(before, rule=rule, threshold=bar, review_threshold=band)
    return _with(model, after, "The threshold was given by hand.")


def what_changes(before: Calibration, after: Calibration) -> str:
    """In lines: the old and the new thresholds, and what either makes of the photos whose scores the new one holds."""
    lines = [
        f"Old: NG from {before.threshold:.4g}, {_band(before)}.",
        f"New: NG from {after.threshold:.4g}, {_band(after)}.",
        f"Of the {len(after.ok_scores)} held-out OK photos: {_counts(before, after, after.ok_scores)}.",
    ]
    if after.ng_scores.size:
        lines.append(f"Of the {len(after.ng_scores)} NG photos: {_counts(before, after, after.ng_scores)}.")
    return "\n".join(lines)


def _counts(before: Calibration, after: Calibration, scores: ScoreArray) -> str:
    old, new = (Counter(calibration.verdict(float(score)) for score in scores) for calibration in (before, after))
    return ", ".join(f"{old[verdict]} -> {new[verdict]} {verdict}" for verdict in ("NG", "review", "OK"))


def _band(calibration: Calibration) -> str:
    return "no review" if calibration.review_threshold is None else f"review from {calibration.review_threshold:.4g}"


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


def _with(model: Taught, calibration: Calibration, remark: str) -> Taught:
    manifest = model.manifest.with_threshold(remark) if remark else model.manifest
    recipe = replace(model.recipe, calibration=calibration.rule)
    return replace(model.calibrated(calibration), recipe=recipe, manifest=manifest)
