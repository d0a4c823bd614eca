"""What other thresholds would catch and reject, from the scores of OK and of labelled NG photos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from andon.line.promises import percent
from andon.line.rules import ScoreArray

SWEPT_RECALLS = (1.0, 0.99, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.5)


class Choice(NamedTuple):
    """What one threshold would do: the share of NG photos caught and of OK photos rejected, and their numbers."""

    threshold: float
    recall: float
    n_caught: int
    false_reject_rate: float
    n_rejected: int


def sweep(ok_scores: ScoreArray, ng_scores: ScoreArray) -> list[Choice]:
    """Thresholds to choose from: the highest for each recall in `SWEPT_RECALLS`, that which catches all NG first."""
    ok, ng = np.sort(ok_scores), np.sort(ng_scores)[::-1]
    ranks = dict.fromkeys(math.ceil(recall * len(ng)) for recall in SWEPT_RECALLS)
    choices = []
    for threshold in dict.fromkeys(float(ng[rank - 1]) for rank in ranks):
        caught, rejected = int((ng >= threshold).sum()), int((ok >= threshold).sum())
        choices.append(Choice(threshold, caught / len(ng), caught, rejected / len(ok), rejected))
    return choices


def sweep_table(ok_scores: Sequence[float], ng_scores: Sequence[float]) -> str:
    """`sweep` for people, a line per threshold."""
    lines = [f"{'threshold':>12}{'NG caught':>18}{'OK rejected':>18}"]
    for choice in sweep(np.asarray(ok_scores), np.asarray(ng_scores)):
        caught = f"{choice.n_caught} of {len(ng_scores)} ({percent(choice.recall)})"
        rejected = f"{choice.n_rejected} of {len(ok_scores)} ({percent(choice.false_reject_rate)})"
        lines.append(f"{choice.threshold:>12.4g}{caught:>18}{rejected:>18}")
    return "\n".join(lines)
