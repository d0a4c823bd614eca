"""Differences between two methods on the same photos, against textbook values and drawn truths."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from andon.evaluation.paired import Judged, auroc, auroc_difference, rate_difference
from andon.evaluation.undefined import Undefined


def judged(ok, ng, fold=None):
    scores = np.array([*ok, *ng], dtype=np.float64)
    n = len(scores)
    return Judged(
        is_anomalous=np.repeat([False, True], [len(ok), len(ng)]),
        fold=np.zeros(n, np.int64) if fold is None else np.array(fold),
        scores=scores,
        verdicts=np.full(n, "OK"),
    )


def drawn(rng, n_ok, n_ng, shift, noise):
    """Two methods that see the same photos, `shift` apart from chance, each with some noise of its own."""
    photos = rng.normal(size=n_ok + n_ng) + np.repeat([0, 1], [n_ok, n_ng]) * shift[0]
    other = photos + rng.normal(size=n_ok + n_ng) * noise + np.repeat([0, 1], [n_ok, n_ng]) * shift[1]
    return [judged(scores[:n_ok], scores[n_ok:]) for scores in (photos, other)]


def test_the_area_is_sklearns_with_ties_as_halves():
    rng = np.random.default_rng(1)
    one = judged(rng.integers(0, 6, 30), rng.integers(2, 9, 40))
    assert auroc(one).value == pytest.approx(roc_auc_score(one.is_anomalous, one.scores))


def test_scores_of_two_models_are_not_compared_with_each_other():
    """Each model orders its photos perfectly, on scales of its own."""
    folds = judged([1, 101], [2, 102], fold=[0, 1, 0, 1])
    assert auroc(folds).value == 1
    assert auroc(judged([1, 101], [2, 102])).value == 0.75


def test_a_perfect_method_is_not_taken_for_certain_and_few_photos_less_so_than_many():
    low = [auroc(judged(np.zeros(n), np.ones(n))).interval[0] for n in (10, 100)]
    assert 0.7 < low[0] < 0.85 < low[1] < 0.99


def test_two_perfect_methods_may_differ_by_what_the_photos_cannot_show():
    perfect = judged(np.zeros(20), np.ones(63))
    difference, (low, high) = auroc_difference(perfect, perfect)
    assert difference == 0
    assert low == pytest.approx(-high)
    assert 0.03 < high < 0.12


def test_a_difference_is_shown_only_where_there_is_one():
    rng = np.random.default_rng(0)
    alike, better = drawn(rng, 40, 60, (1.0, 0.0), 0.05), drawn(rng, 40, 60, (1.0, 1.5), 0.3)
    assert auroc_difference(*alike).interval[0] < 0 < auroc_difference(*alike).interval[1]
    assert auroc_difference(*better).interval[1] < 0


def test_turned_round_the_difference_changes_its_sign_and_a_higher_level_is_wider():
    one, other = drawn(np.random.default_rng(3), 30, 30, (1.0, 0.4), 0.5)
    difference, (low, high) = auroc_difference(one, other)
    turned, interval = auroc_difference(other, one)
    assert (turned, *interval) == pytest.approx((-difference, -high, -low))
    wider = auroc_difference(one, other, level=0.995).interval
    assert wider[0] < low and high < wider[1]


def test_the_interval_knows_that_both_saw_the_same_photos():
    """Nearly equal scores leave little to differ by; unrelated ones leave much."""
    rng = np.random.default_rng(5)
    same = drawn(rng, 50, 50, (1.0, 0.0), 0.05)
    apart = [drawn(np.random.default_rng(seed), 50, 50, (1.0, 0.0), 0.0)[0] for seed in (6, 7)]
    widths = [np.diff(auroc_difference(*pair).interval)[0] for pair in (same, apart)]
    assert 3 * widths[0] < widths[1]


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(150):
        common, own = rng.normal(size=45), rng.normal(size=(2, 45))
        shift = np.repeat([0, 1.2], [20, 25])
        pair = [judged((s := 0.8 * common + 0.6 * of + shift)[:20], s[20:]) for of in own]
        low, high = auroc_difference(*pair).interval
        held += low <= 0 <= high  # the same law for both methods
    assert held >= 0.93 * 150


def test_without_both_classes_there_is_no_area():
    with pytest.raises(Undefined, match="no OK or no NG"):
        auroc(judged([], [1, 2]))


def flags(n, *true):
    values = np.zeros(n, bool)
    values[list(true)] = True
    return values


def test_rates_differ_where_only_one_method_is_wrong():
    value, (low, high) = rate_difference(flags(50, *range(12)), flags(50, 0))
    assert value == pytest.approx(11 / 50)
    assert 0.05 < low < value < high < 0.4


def test_few_disagreements_show_no_difference_and_none_at_all_still_have_a_width():
    low, high = rate_difference(flags(97, 1, 2), flags(97, 3)).interval
    assert low < 0 < high
    low, high = rate_difference(flags(97), flags(97)).interval
    assert low == pytest.approx(-high)
    assert 0.01 < high < 0.05
