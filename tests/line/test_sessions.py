"""What a threshold does to each capture session."""

from __future__ import annotations

import numpy as np

from andon.line.calibration import Calibration, CalibrationRule, calibrate
from andon.line.sessions import by_session, in_words


def two_days() -> tuple[Calibration, list[int]]:
    """Day 0 scores 1.00 to 1.19, day 1 a little more in half of its ten photos."""
    scores = np.concatenate([1 + np.arange(20) / 100, 1.1 + np.arange(10) / 50])
    order = np.argsort(scores, kind="stable")
    calibration = calibrate(CalibrationRule(percentile=90), scores.tolist(), scores.tolist())
    return calibration, [int(index >= 20) for index in order]


def test_each_session_is_counted_at_the_threshold_and_at_that_of_the_others() -> None:
    calibration, numbers = two_days()
    first, second = by_session(calibration, ("mon", "tue"), numbers)
    assert (first.name, first.n, second.n) == ("mon", 20, 10)
    assert round(first.median, 3) == 1.095 and round(second.median, 3) == 1.19
    assert first.rejected == 0 and second.rejected == 3
    assert second.rejected_by_others == 6  # above 1.171: 1.18 to 1.28
    assert first.rejected_by_others == 0


def test_in_words_the_worst_day_is_named_and_what_another_may_bring() -> None:
    calibration, numbers = two_days()
    said = in_words(by_session(calibration, ("mon", "tue"), numbers))
    assert "6 of 10 photos (60 %, tue)" in said and "about 1 in 3" in said
    one = in_words(by_session(calibration, ("mon",), [0] * 30))
    assert "one capture session" in one and "nothing is known of another day" in one
    assert "not known" in in_words([])
