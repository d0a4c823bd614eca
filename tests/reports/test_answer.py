"""What an evaluation says in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from andon.evaluation import Results, summarise
from andon.reports.answer import answer, in_words, thresholds_between


def told(ok, ng, threshold, review=None, model=None):
    """The answer on OK and NG photos with these (score, is_valid) or scores."""
    scores = np.array([*ok, *ng], dtype=np.float64)
    lowest = threshold if review is None else review
    verdicts = np.where(scores >= threshold, "NG", np.where(scores >= lowest, "review", "OK")).astype("<U8")
    verdicts[scores < 0] = "invalid"
    results = Results(
        is_anomalous=np.array([False] * len(ok) + [True] * len(ng)),
        scores=scores,
        verdicts=verdicts,
        threshold=threshold,
        defects=(None,) * len(scores),
    )
    return {one.kind: one for one in answer(summarise(results), model)}


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_it_says_what_escapes_and_what_is_rejected():
    found = told(ok=[1, 2, 3, 8], ng=[4, 5, 6, 7, 9], threshold=5.5)
    assert plain(found["escaped"].text) == "2 of 5 defective parts escape as OK: 40.0 % (95 % interval 5.3 to 85.3 %)."
    assert plain(found["rejected"].text) == "1 of 4 good parts is rejected as NG: 25.0 % (95 % interval 0.6 to 80.6 %)."
    assert "review" not in found and "invalid" not in found


def test_review_is_neither_and_its_share_of_both_is_said():
    found = told(ok=[1, 2, 3, 4.5], ng=[4.2, 5, 6, 7], threshold=5, review=4)
    assert [one for one in found if one in ("escaped", "rejected")] == []
    assert "1 of 4 good parts, 25.0" in found["review"].text
    assert "1 of 4 defective parts, 25.0" in found["review"].text


def test_invalid_photos_are_counted_by_truth_and_have_no_part_in_the_best_threshold():
    found = told(ok=[1, 2, -1], ng=[6, 7, -2, -3], threshold=10)
    assert "1 of 3 photos of good parts and 2 of 4 of defective parts" in found["invalid"].text
    assert found["better"].text.startswith("Between 2.001 and 6.000 no OK photo would be rejected")


def test_where_the_scores_separate_and_the_threshold_does_not_it_gives_the_command(tmp_path):
    found = told(ok=[1.1, 1.403], ng=[1.484, 1.9], threshold=1.7, model=Path("my plates/plate.safetensors"))
    assert found["better"].text.startswith("Between 1.404 and 1.484 no OK photo would be rejected and no defect would")
    assert found["better"].command == (
        'andon calibrate "my plates/plate.safetensors" --threshold 1.44 -o "my plates/plate-1.44.safetensors"'
    )
    assert in_words([found["better"]])[0].endswith(found["better"].command)


@pytest.mark.parametrize("threshold", [1.5, 2.0])
def test_a_threshold_that_separates_needs_no_other(threshold):
    assert set(told(ok=[1, 1.4], ng=[2, 3], threshold=threshold)) == {"fine"}


def test_where_no_threshold_separates_the_best_is_marked_as_a_look_back():
    found = told(ok=[1, 2, 3, 8], ng=[4, 5, 6, 7], threshold=9)
    assert "The best one, 3.5 without review, would let 0 of 4 defective parts escape" in found["better"].text
    assert "reject 1 of 4 good ones" in found["better"].text
    assert "very photos" in found["better"].text
    assert not found["better"].command


def test_a_threshold_that_does_as_well_as_the_best_is_left_alone():
    assert "better" not in told(ok=[1, 5], ng=[3, 7], threshold=7)


def test_one_class_alone_has_an_answer_too():
    assert set(told(ok=[1, 2], ng=[], threshold=3)) == {"fine"}
    assert set(told(ok=[], ng=[1, 5], threshold=3)) == {"escaped"}


@pytest.mark.parametrize(
    ("above", "up_to"),
    [(1.40312, 1.48391), (1.4031, 1.4034), (0.00012, 0.00013), (1691, 1692), (-2, -1), (-0.5, 1.0), (3, 3.0000004)],
)
def test_the_numbers_that_are_named_lie_between_the_scores(above, up_to):
    low, high, chosen = map(float, thresholds_between(above, up_to))
    assert above < low <= chosen <= high <= up_to
