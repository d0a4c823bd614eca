"""Thresholds that a person gives, and what a new threshold changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from andon.errors import NotCalibratedError
from andon.line.by_hand import REMARK, given
from andon.line.calibration import Calibration
from andon.line.rules import ScoreArray
from andon.models.taught import Taught


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
    return _with(model, given(before, threshold, review_threshold, review=review), REMARK)


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


def _with(model: Taught, calibration: Calibration, remark: str) -> Taught:
    manifest = model.manifest.with_threshold(remark) if remark else model.manifest
    recipe = replace(model.recipe, calibration=calibration.rule)
    return replace(model.calibrated(calibration), recipe=recipe, manifest=manifest)
