"""What a threshold from given scores would do: to the good parts that made it, and to labelled NG photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from andon.config import Tree
from andon.errors import NotCalibratedError
from andon.line.rules import CalibrationRule, ScoreArray
from andon.teaching.thresholds import HeldOut


@dataclass(frozen=True)
class Outlook:
    """Thresholds, and how many photos get which verdict by them.

    Attributes:
        review_threshold: None where there is no band.
        n_ok, ok_ng, ok_review: OK photos, and how many of these are NG and for review.
        n_ng, escaped, ng_review: NG photos, and how many of these are OK and for review.
    """

    threshold: float
    review_threshold: float | None
    n_ok: int
    ok_ng: int
    ok_review: int
    n_ng: int
    escaped: int
    ng_review: int

    def to_tree(self) -> Tree:
        """Plain values."""
        return asdict(self)


def outlook(rule: CalibrationRule, ok: ScoreArray, ng: ScoreArray) -> Outlook | None:
    """The thresholds that the rule makes from the OK scores (n,); None where they are too few for it.

    Args:
        ng: (m,) scores of NG photos; often there are none.
    """
    try:
        rule.check(len(ok), len(ng))
        threshold = rule.threshold(ok, ng)
    except NotCalibratedError:
        return None
    review = rule.review_threshold(ok, threshold)
    begins = threshold if review is None else review
    return Outlook(
        threshold=threshold,
        review_threshold=review,
        n_ok=len(ok),
        ok_ng=int((ok >= threshold).sum()),
        ok_review=int(((ok >= begins) & (ok < threshold)).sum()),
        n_ng=len(ng),
        escaped=int((ng < begins).sum()),
        ng_review=int(((ng >= begins) & (ng < threshold)).sum()),
    )


def scores_of(held_out: Iterable[HeldOut]) -> ScoreArray:
    """(n,) the image scores."""
    return np.array([photo.score for photo in held_out], dtype=np.float64)


def without(rule: CalibrationRule, held_out: Sequence[HeldOut], left_out: Sequence[HeldOut]) -> str:
    """What the threshold would be without some of the photos, in a sentence; empty where that cannot be said."""
    gone = {photo.path for photo in left_out}
    now = outlook(rule, scores_of(held_out), np.empty(0))
    then = outlook(rule, scores_of(photo for photo in held_out if photo.path not in gone), np.empty(0))
    if not left_out or now is None or then is None:
        return ""
    them = "it" if len(left_out) == 1 else "them"
    said = f"Without {them} the threshold would be about {then.threshold:.4g} instead of {now.threshold:.4g}"
    if now.review_threshold is None or then.review_threshold is None:
        return f"{said}."
    return f"{said}, and review would begin at {then.review_threshold:.4g} instead of {now.review_threshold:.4g}."
