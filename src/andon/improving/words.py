"""An improvement in words, for the command and for pages."""

from __future__ import annotations

from pathlib import Path

from andon.improving import golden
from andon.improving.improve import Improvement
from andon.line.calibration import Calibration


def in_words(improvement: Improvement) -> list[str]:
    """What was done and what came out, in lines."""
    return [
        *sentences(improvement),
        *(golden.table(improvement.golden) if improvement.golden else ()),
        verdict(improvement),
        *(f"Against it: {one.in_words()}" for one in improvement.against),
    ]


def sentences(improvement: Improvement) -> list[str]:
    """What was done, without figures of the golden set."""
    return [*_what_joined(improvement), *_thresholds(improvement), _golden(improvement)]


def verdict(improvement: Improvement) -> str:
    """Offered or refused, and why."""
    if improvement.is_offered and not any(one.photo.kind == "OK" for one in improvement.golden):
        return "Offered: every golden NG photo that was caught is still caught; no golden OK photo tests the promise."
    if improvement.is_offered:
        return "Offered: the promise holds, and every golden NG photo that was caught is still caught."
    return " ".join(["Refused:", *improvement.objections, "Nothing is written."])


def after_offering(path: Path, parent: Path, name: str) -> list[str]:
    """What to do next, and how to go back, in lines."""
    return [
        f"Model: {path}",
        f"{parent} is unchanged. A station that runs keeps its active version of {name}: activate the new one on "
        f"the page Models or with andon models activate, and go back with Roll back or andon models roll-back {name}.",
        "A model that was exported for the line must be exported again from the new file (andon export).",
    ]


def _what_joined(improvement: Improvement) -> list[str]:
    before, after = improvement.rows
    n, joined = len(improvement.chosen.candidates), len(improvement.grown.joined)
    ways = "adds" if joined == 1 else "add"
    return [
        f"{_number(n, 'reviewed OK photo')} may teach; {joined} {ways} to the memory bank "
        f"({before:,} -> {after:,} rows).",
        *improvement.remarks,
    ]


def _thresholds(improvement: Improvement) -> list[str]:
    before, after = improvement.before, improvement.after
    scores = f"{len(before.ok_scores)} -> {len(after.ok_scores)} held-out scores"
    return [
        f"NG from {before.threshold:.4g} -> {after.threshold:.4g}, review from {_band(before)} -> {_band(after)} "
        f"({scores}).",
        after.describe(),
    ]


def _golden(improvement: Improvement) -> str:
    kinds = [one.photo.kind for one in improvement.golden]
    if not kinds:
        return "The golden set is empty."
    return (
        f"Golden set: {_number(kinds.count('NG'), 'NG photo')} and {_number(kinds.count('OK'), 'OK photo')}, none of "
        "which taught."
    )


def _number(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _band(calibration: Calibration) -> str:
    return "nowhere" if calibration.review_threshold is None else f"{calibration.review_threshold:.4g}"
