"""Scores of photos that a model has not seen, and the thresholds that they give."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from andon import images
from andon.datasets import find_duplicates
from andon.errors import DatasetError, ImageError
from andon.line.calibration import Calibration, CalibrationRule, calibrate
from andon.line.pipeline import Photo, Pipeline, Scored
from andon.line.sweep import sweep_table
from andon.models.manifest import Photos, Sessions
from andon.models.taught import Taught
from andon.progress import track
from andon.robust import centre_and_spread
from andon.types import Failure, Sample

LOG = logging.getLogger("andon")
Groups = Sequence[frozenset[Path]]
CALIBRATING = "Calibrating"
"""The phase of `andon.progress` in which photos are scored that a model has not seen."""

MAX_LISTED = 5
UNLIKE = "This OK photo scores unlike the others", "These OK photos score unlike the others"
"""How the remark on one or several OK photos begins that stand out."""
MOST_SPREADS = 20.0  # from the usual score to that of another part; another day's photos stay far below
LEAST_SPREAD = 0.05  # of the usual score
MOST_TIMES = 1.5  # the highest OK score


class HeldOut(NamedTuple):
    """An OK photo that the model has not seen, its image score, and the largest value of its map.

    `terms` are what the image score is made of, see `types.Scores`.
    """

    path: str
    sha256: str
    score: float
    map_peak: float
    terms: tuple[float, ...] = ()


def score_ok(pipeline: Pipeline, photos: Sequence[Photo]) -> list[HeldOut]:
    """Score photos that the model was not trained with.

    Raises:
        ImageError: a photo cannot be read.
    """
    return held_out_of(pipeline, track(pipeline.score_all(photos), CALIBRATING, len(photos)))


def held_out_of(pipeline: Pipeline, photos: Iterable[Scored | Failure]) -> list[HeldOut]:
    """What is kept of photos that were scored.

    Raises:
        ImageError: a photo could not be scored.
    """
    held_out = []
    for scored in photos:
        if isinstance(scored, Failure):
            raise ImageError(scored.error)
        peak = pipeline.map_peak(scored)
        held_out.append(HeldOut(scored.prepared.path, scored.prepared.sha256, scored.score, peak, scored.terms))
    return held_out


def terms_of(held_out: Sequence[HeldOut]) -> NDArray[np.float64]:
    """(n, k) the terms of each photo."""
    return np.array([photo.terms for photo in held_out], dtype=np.float64)


def sessions_of(held_out: Sequence[HeldOut], samples: Iterable[Sample]) -> Sessions:
    """The capture sessions of the photos, in the order of their scores; none where one has no session."""
    session_of = {str(sample.path): sample.session for sample in samples}
    ascending = [session_of[photo.path] for photo in sorted(held_out, key=lambda photo: photo.score)]
    names = sorted({name for name in ascending if name is not None})
    if None in ascending or not names:
        return Sessions()
    number = {name: number for number, name in enumerate(names)}
    return Sessions(tuple(names), tuple(number[name] for name in ascending if name is not None))


def one_of_each(held_out: Sequence[HeldOut], groups: Groups) -> list[HeldOut]:
    """Of photos that show the same picture, the one that scores highest: a copy tells nothing new, so it counts once.

    Args:
        groups: photos that show the same picture, see `Duplicates.keep_together`; identical files need no group.
    """
    group_of = {str(path): number for number, group in enumerate(groups) for path in group}
    highest: dict[object, HeldOut] = {}
    for photo in held_out:
        picture = group_of.get(photo.path, photo.sha256)
        if picture not in highest or photo.score > highest[picture].score:
            highest[picture] = photo
    return list(highest.values())


def stand_out(held_out: Sequence[HeldOut]) -> list[HeldOut]:
    """The photos that score above Tukey's upper fence, highest first."""
    scores = np.array([photo.score for photo in held_out])
    lower, upper = np.percentile(scores, [25, 75])
    return sorted((p for p in held_out if p.score > upper + 1.5 * (upper - lower)), key=lambda photo: -photo.score)


def unusual(held_out: Sequence[HeldOut]) -> list[str]:
    """A remark on the OK photos that stand out, as they set the threshold."""
    odd = stand_out(held_out)
    if not odd:
        return []
    listed = ", ".join(f"{photo.path} ({photo.score:.4g})" for photo in odd[:MAX_LISTED])
    more = f" and {len(odd) - MAX_LISTED} more" if len(odd) > MAX_LISTED else ""
    one, several = UNLIKE
    if len(odd) == 1:
        return [f"{one} and raises the threshold: {listed}; check that it is OK."]
    return [f"{several} and raise the threshold: {listed}{more}; check that they are OK."]


def recalibrate(model: Taught, rule: CalibrationRule, ok: Sequence[Photo], ng: Sequence[Photo] = ()) -> Taught:
    """The same model with thresholds from other photos.

    Args:
        ok: OK photos that the model was not trained with.
        ng: labelled NG photos, for the method "target-recall"; their scores are kept with any method.

    Raises:
        DatasetError: a photo is one that the model was trained with.
        ImageError: a photo cannot be read.
        NotCalibratedError: too few photos for the rule.
    """
    rule.check(len(ok), len(ng))
    files = [Path(photo) for photo in (*ok, *ng) if not isinstance(photo, np.ndarray)]
    seen = [file for file in files if images.sha256(images.read_bytes(file)) in model.manifest.taught_by]
    if seen:
        raise DatasetError(
            f"{len(seen)} of the {len(ok) + len(ng)} photos trained this model, {seen[0]} for one, so a threshold from "
            "them would not hold for others; calibrate with photos that it has never seen."
        )
    groups = find_duplicates([Sample(file) for file in files[: len(ok)]]).keep_together
    held_out, damaged = one_of_each(score_ok(model.pipeline, ok), groups), score_ok(model.pipeline, ng)
    rule.check(len(held_out), len(ng))
    require_the_same_part(model.calibration, held_out)
    copies = len(ok) - len(held_out)
    calibration = calibrated(rule, held_out, damaged)
    if damaged:
        LOG.info(sweep_table([photo.score for photo in held_out], [photo.score for photo in damaged]))
    manifest = replace(
        model.manifest.with_threshold(
            *unusual(held_out),
            f"Calibrated again with {len(held_out)} OK photos{_and_ng(len(damaged))}."
            + (f" {copies} more show the same pictures and do not count." if copies else ""),
        ),
        precision=model.pipeline.scorer.precision,
        calibrated=_numbered(held_out),
        calibrated_ng=_numbered(damaged),
        sessions=Sessions(),
    )
    recipe = replace(model.recipe, calibration=rule)
    return replace(model.calibrated(calibration), recipe=recipe, manifest=manifest, terms=terms_of(held_out))


def _numbered(photos: Sequence[HeldOut]) -> Photos:
    """By their file names and a number, as they may come from several folders."""
    names = tuple(f"{number} {Path(photo.path).name}" for number, photo in enumerate(photos, start=1))
    return Photos(names, tuple(photo.sha256 for photo in photos))


def _and_ng(number: int) -> str:
    return "" if number == 0 else f" and {number} NG photo{'s' if number > 1 else ''}"


def require_the_same_part(before: Calibration | None, held_out: Sequence[HeldOut]) -> None:
    """Refuse OK photos whose scores are nowhere near those that the model knows of OK photos.

    Raises:
        DatasetError: their scores are too far from those.
    """
    if before is None:
        return
    known, new = before.ok_scores, np.array([photo.score for photo in held_out])
    usual, spread = map(float, centre_and_spread(known))
    far = usual + MOST_SPREADS * max(spread, LEAST_SPREAD * abs(usual))
    if np.median(new) > max(far, MOST_TIMES * float(known[-1])):
        raise DatasetError(
            f"Half of these photos score above {np.median(new):.4g}, but the OK photos that the model knows score "
            f"{usual:.4g} and at most {known[-1]:.4g}: they seem to show another part, or defects; give OK photos of "
            "the part that the model was trained on, or train a model of this one."
        )


def calibrated(rule: CalibrationRule, ok: Sequence[HeldOut], ng: Sequence[HeldOut] = ()) -> Calibration:
    """The thresholds that the rule makes from the photos' scores."""
    return calibrate(
        rule, [photo.score for photo in ok], [photo.map_peak for photo in ok], [photo.score for photo in ng]
    )
