"""What an old and a new version of a model make of the golden set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from andon.evaluation.intervals import clopper_pearson
from andon.improving.choosing import Reviewed
from andon.line.pipeline import Pipeline
from andon.line.promises import percent
from andon.progress import track
from andon.types import Failure, Inspection

Judged = Inspection | Failure
FIGURES: dict[str, Callable[[str, str], bool]] = {
    "NG photos caught": lambda kind, verdict: kind == "NG" and verdict == "NG",
    "NG photos for review": lambda kind, verdict: kind == "NG" and verdict == "review",
    "NG photos missed": lambda kind, verdict: kind == "NG" and verdict == "OK",
    "OK photos passed": lambda kind, verdict: kind == "OK" and verdict == "OK",
    "OK photos for review": lambda kind, verdict: kind == "OK" and verdict == "review",
    "OK photos rejected": lambda kind, verdict: kind == "OK" and verdict == "NG",
    "invalid or unreadable": lambda kind, verdict: verdict in ("invalid", "error"),
}


@dataclass(frozen=True)
class OnGolden:
    """A golden photo, and what the old and the new version say of it."""

    photo: Reviewed
    old: Judged
    new: Judged

    @property
    def is_lost(self) -> bool:
        """Whether it is NG and now passes, and did not before."""
        return self.photo.kind == "NG" and verdict_of(self.new) == "OK" != verdict_of(self.old)

    @property
    def is_newly_rejected(self) -> bool:
        """Whether it is OK and now NG, and was not before."""
        return self.photo.kind == "OK" and verdict_of(self.new) == "NG" != verdict_of(self.old)

    def in_words(self) -> str:
        """One line: the photo, what it is, and both verdicts with their scores."""
        verdicts = " -> ".join(says(one) for one in (self.old, self.new))
        return f"{self.photo.path} ({self.photo.name}), which people call {self.photo.kind}: {verdicts}"


def judge(photos: Sequence[Reviewed], old: Pipeline, new: Pipeline) -> tuple[OnGolden, ...]:
    """Let both versions judge the golden set."""
    paths = [one.path for one in photos]
    each = [
        track(pipeline.inspect_batch(paths), f"Golden set, {version} version", len(paths))
        for version, pipeline in (("old", old), ("new", new))
    ]
    return tuple(OnGolden(*one) for one in zip(photos, list(each[0]), list(each[1]), strict=True))


def verdict_of(judged: Judged) -> str:
    """OK, review, NG, invalid or error."""
    return "error" if isinstance(judged, Failure) else judged.verdict


def counts(golden: Sequence[OnGolden]) -> dict[str, dict[str, int]]:
    """How many photos of each kind got which verdict, from the "old" and the "new" version; no rows of zeros."""
    found = {
        name: {
            "old": sum(applies(one.photo.kind, verdict_of(one.old)) for one in golden),
            "new": sum(applies(one.photo.kind, verdict_of(one.new)) for one in golden),
        }
        for name, applies in FIGURES.items()
    }
    return {name: figures for name, figures in found.items() if any(figures.values())}


def table(golden: Sequence[OnGolden]) -> list[str]:
    """`counts` as lines."""
    rows = counts(golden)
    width = max(map(len, rows), default=0)
    head = f"{'':{width}}  {'old':>5}  {'new':>5}"
    return [head, *(f"{name:{width}}  {both['old']:5}  {both['new']:5}" for name, both in rows.items())]


def broken_promise(golden: Sequence[OnGolden], promised: float) -> str:
    """Why the golden OK photos say that the new version does not keep its promise; "" where they do not.

    Golden OK photos are no sample of all good parts: people review the doubtful ones. So that many of them are rejected
    says nothing by itself. It does where they are more than the old version rejected, and so many that the whole 95 %
    interval of their share (Clopper and Pearson 1934) lies above the promised share.
    """
    ok = [one for one in golden if one.photo.kind == "OK"]
    old = sum(verdict_of(one.old) == "NG" for one in ok)
    new = sum(verdict_of(one.new) == "NG" for one in ok)
    if not ok or new <= old or clopper_pearson(new, len(ok))[0] <= promised:
        return ""
    return (
        f"It rejects {new} of the {len(ok)} golden OK photos, the old version {old}, and promises {percent(promised)} "
        "on average."
    )


def says(judged: Judged) -> str:
    """Its verdict and score, or its error, in words."""
    return judged.error if isinstance(judged, Failure) else f"{judged.verdict} ({judged.score:.4g})"


def to_tree(golden: Sequence[OnGolden]) -> dict[str, Any]:
    """The figures that the store keeps of a version: how many golden photos there were, and the `counts`."""
    return {"photos": len(golden), "counts": counts(golden)}
