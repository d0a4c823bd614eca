"""The scores that a model gave to photos of which something is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from andon.line.promises import percent, upper_bound
from andon.line.rules import ScoreArray
from andon.rows import PART_VERDICTS
from andon.server.desk import Desk
from andon.store import Filter, Judged, Store, StoredModel

MOST_LIVE = 5000


class Counted(NamedTuple):
    """Of `n` photos, so many on each side of the lines."""

    n: int
    ng: int
    review: int

    @property
    def ok(self) -> int:
        """Below both lines."""
        return self.n - self.ng - self.review

    def at_most(self, number: int) -> str:
        """The share of all such parts that `number` of these photos stand for, with 95 % confidence."""
        return percent(upper_bound(number, self.n)) if self.n else ""


@dataclass(frozen=True, eq=False)
class KnownScores:
    """Attributes:
    ok: of held-out OK photos, which the model was not trained with.
    live: of the newest photos of the line, whatever they show, but those that were reviewed as NG.
    ng: of photos that people called NG, and of the NG photos that the model was calibrated with.
    """

    ok: ScoreArray
    live: ScoreArray
    ng: ScoreArray

    TITLES: ClassVar = (("ok", "Held-out OK photos"), ("live", "Live parts"), ("ng", "Known NG"))

    def of(self, kind: str) -> ScoreArray:
        """One of the three."""
        return {"ok": self.ok, "live": self.live, "ng": self.ng}[kind]

    def counted(self, threshold: float, review: float | None) -> dict[str, Counted]:
        """What these lines make of each of the three."""
        lower = threshold if review is None else review
        return {
            kind: Counted(
                len(scores := self.of(kind)),
                int((scores >= threshold).sum()),
                int(((scores >= lower) & (scores < threshold)).sum()),
            )
            for kind, _ in self.TITLES
        }


def known_scores(store: Store, desk: Desk) -> KnownScores:
    """Of the version that judges, and of those that differ from it in their thresholds alone."""
    calibration = desk.pipeline.calibration
    assert calibration is not None
    versions = store.models.versions(desk.name)
    origins = {version.sha256: origin_of(version) for version in versions}
    judging = desk.pipeline.model_id.sha256
    same = {sha256 for sha256, origin in origins.items() if origin == origins.get(judging)} | {judging}
    live = store.inspections.judged(Filter(model_name=desk.name, verdicts=PART_VERDICTS), limit=MOST_LIVE)
    ng = store.inspections.judged(Filter(model_name=desk.name, verdicts=PART_VERDICTS, reviewed_as="NG"))
    return KnownScores(
        calibration.ok_scores,
        _scores([one for one in live if one.model_sha256 in same and one.reviewed_as != "NG"]),
        np.concatenate([calibration.ng_scores, _scores([one for one in ng if one.model_sha256 in same])]),
    )


def origin_of(version: StoredModel) -> str:
    """The version whose scores it gives: itself, unless only its thresholds were moved."""
    return str(version.figures.get("scores_of", version.sha256))


def _scores(judged: Sequence[Judged]) -> ScoreArray:
    return np.array([one.score for one in judged if one.score is not None], dtype=np.float64)
