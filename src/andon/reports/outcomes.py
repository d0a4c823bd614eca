"""What became of a labelled photo: its verdict held against the truth."""

from __future__ import annotations

from typing import Literal

from andon.types import Verdict

Outcome = Literal["escaped", "rejected", "review", "invalid", "caught", "passed"]
"""The most worrying first."""

BADGES: dict[Outcome, str] = {
    "escaped": "escaped",
    "rejected": "rejected",
    "review": "review",
    "invalid": "invalid",
    "caught": "NG",
    "passed": "OK",
}
"""What stands beside a photo: a wrong verdict is called by what it did, so no escaped defect looks like a good part."""


def outcome_of(is_anomalous: bool, verdict: Verdict) -> Outcome:
    """Review and invalid are neither right nor wrong, whatever the photo shows."""
    if verdict == "review":
        return "review"
    if verdict == "invalid":
        return "invalid"
    if is_anomalous:
        return "caught" if verdict == "NG" else "escaped"
    return "passed" if verdict == "OK" else "rejected"
