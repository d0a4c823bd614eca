"""What a threshold does to each capture session, and to one that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from andon.errors import NotCalibratedError
from andon.line.calibration import Calibration
from andon.line.promises import percent

BY_OK_SCORES = ("percentile", "conformal", "tail-fit")


class OfSession(NamedTuple):
    """The held-out OK photos of one capture session.

    Attributes:
        rejected: how many of the `n` lie at or above the model's threshold.
        rejected_by_others: how many lie at or above a threshold that the other sessions make by the same rule; None
            where the rule takes more than OK scores, or more of them than the others have.
    """

    name: str
    n: int
    median: float
    rejected: int
    rejected_by_others: int | None


def by_session(calibration: Calibration, names: Sequence[str], numbers: Sequence[int]) -> list[OfSession]:
    """Each session's part in the calibration.

    Args:
        numbers: (n,) of each of the ascending OK scores, the number of its session, from 0.
    """
    scores, session_of = calibration.ok_scores, np.asarray(numbers)
    rows = []
    for number, name in enumerate(names):
        own, others = scores[session_of == number], scores[session_of != number]
        if len(own):
            bar = _threshold(calibration, others)
            rejected_by_others = None if bar is None else int((own >= bar).sum())
            rejected = int((own >= calibration.threshold).sum())
            rows.append(OfSession(name, len(own), float(np.median(own)), rejected, rejected_by_others))
    return rows


def in_words(rows: Sequence[OfSession]) -> str:
    """What the sessions say of another day, in sentences."""
    if not rows:
        return "Capture sessions are not known, so nothing is known of another day."
    if len(rows) == 1:
        return f"All {rows[0].n} photos are of one capture session, so nothing is known of another day."
    low, high = (choose(rows, key=lambda row: row.median) for choose in (min, max))
    said = [
        f"{len(rows)} capture sessions, medians from {low.median:.4g} ({low.name}) to {high.median:.4g} ({high.name}).",
        f"At the threshold {_worst(rows, [row.rejected for row in rows])}.",
    ]
    unseen = [row.rejected_by_others for row in rows if row.rejected_by_others is not None]
    if len(unseen) == len(rows):
        said += [
            f"With a threshold from the other sessions: {_worst(rows, unseen)}, {sum(unseen)} of "
            f"{sum(row.n for row in rows)} in all.",
            f"If another day is like these, so many may be rejected on it, and more with a chance of about 1 in "
            f"{len(rows) + 1}; wear that only goes on is not like that.",
        ]
    return " ".join(said)


def _worst(rows: Sequence[OfSession], rejected: Sequence[int]) -> str:
    row, k = max(zip(rows, rejected, strict=True), key=lambda one: (one[1] / one[0].n, one[0].n))
    return f"at worst {k} of {row.n} photos ({percent(k / row.n)}, {row.name}) of a session are rejected"


def _threshold(calibration: Calibration, scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | None:
    if calibration.rule.method not in BY_OK_SCORES:
        return None
    try:
        calibration.rule.check(len(scores))
        return calibration.rule.threshold(scores)
    except NotCalibratedError:
        return None
