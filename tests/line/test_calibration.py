"""Thresholds and what they promise, against the definitions and by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from andon.errors import ConfigError, NotCalibratedError
from andon.line.calibration import Calibration, CalibrationRule, calibrate
from andon.line.promises import Promise, conformal_rank, percent, photos_needed, photos_needed_with_confidence
from andon.line.rules import just_above
from andon.line.sweep import sweep

TEN = [float(score) for score in range(1, 11)]


def calibrated(scores: list[float], **parameters: Any) -> Calibration:
    return calibrate(CalibrationRule(**parameters), scores, scores)


@pytest.mark.parametrize(("n", "rate", "rank"), [(99, 0.01, 99), (100, 0.01, 100), (24, 0.04, 24), (199, 0.05, 190)])
def test_the_conformal_rank_is_that_of_the_definition(n: int, rate: float, rank: int) -> None:
    assert conformal_rank(n, rate) == rank
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n + 1)).tolist()
    assert calibrated(scores, method="conformal", false_reject_rate=rate).threshold == just_above(rank)


@pytest.mark.parametrize(("rate", "n"), [(0.01, 99), (0.05, 19), (0.1, 9), (0.5, 1), (0.03, 33)])
def test_the_photos_needed_are_just_enough(rate: float, n: int) -> None:
    assert photos_needed(rate) == n
    assert conformal_rank(n, rate) <= n
    assert n == 1 or conformal_rank(n - 1, rate) > n - 1


def test_too_few_photos_are_told_what_they_can_promise_and_how_many_are_needed() -> None:
    rule = CalibrationRule(method="conformal", false_reject_rate=0.01)
    with pytest.raises(NotCalibratedError) as error:
        rule.check(24)
    assert str(error.value) == (
        "24 calibration photos can promise a false-reject rate of 4 % at best, but 1 % was asked for: "
        "add OK photos until there are 99, or ask for --false-reject-rate 0.04."
    )


def test_the_rate_that_is_suggested_instead_is_granted() -> None:
    suggested = {}
    for n in range(2, 120):
        with pytest.raises(NotCalibratedError) as error:
            CalibrationRule(method="conformal", false_reject_rate=1e-4).check(n)
        suggested[n] = float(str(error.value).split()[-1].rstrip("."))
        CalibrationRule(method="conformal", false_reject_rate=suggested[n]).check(n)
    assert {n: rate for n, rate in suggested.items() if rate > 1 / (n + 1) + 0.001} == {}


@pytest.mark.parametrize(("n", "rate"), [(24, 0.04), (60, 0.05), (60, 0.2)])
def test_conformal_holds_its_rate_over_many_calibrations(n: int, rate: float) -> None:
    rng = np.random.default_rng(1)
    rejected = []
    for _ in range(2000):
        scores = rng.lognormal(size=n + 20)  # of a long tail, as image scores are
        threshold = calibrated(scores[:n].tolist(), method="conformal", false_reject_rate=rate).threshold
        rejected.append((scores[n:] > threshold).mean())
    expected = 1 - conformal_rank(n, rate) / (n + 1)
    assert expected <= rate + 1e-9
    assert np.mean(rejected) == pytest.approx(expected, abs=0.005)


def test_the_percentile_is_that_of_numpy() -> None:
    scores = np.random.default_rng(2).random(37)
    assert calibrated(scores.tolist(), percentile=90.0).threshold == just_above(float(np.percentile(scores, 90)))


@pytest.mark.parametrize("recall", [0.3, 0.5, 0.95, 1.0])
def test_target_recall_catches_at_least_that_share_and_no_photo_more_than_needed(recall: float) -> None:
    ng = np.random.default_rng(3).random(20).tolist()
    threshold = calibrate(CalibrationRule(method="target-recall", recall=recall), TEN, TEN, ng).threshold
    caught = sum(score >= threshold for score in ng)
    assert caught / 20 >= recall > (caught - 1) / 20


def test_target_recall_needs_ng_photos() -> None:
    with pytest.raises(NotCalibratedError, match=r"target-recall needs labelled NG photos; .*--ng"):
        calibrated(TEN, method="target-recall")


@pytest.mark.parametrize("n", [0, 1])
def test_one_photo_makes_no_threshold(n: int) -> None:
    with pytest.raises(NotCalibratedError, match=f"at least 2 held-out OK photos, but there are {n}"):
        calibrated(TEN[:n])


def test_the_verdict_turns_at_the_thresholds_themselves() -> None:
    calibration = calibrated(TEN, percentile=80.0, review_percentile=50.0)
    low, high = just_above(5.5), just_above(8.2)
    assert (calibration.review_threshold, calibration.threshold) == (low, high)
    below = [np.nextafter(value, 0) for value in (low, high)]
    assert [calibration.verdict(score) for score in (below[0], low, below[1], high)] == ["OK", "review", "review", "NG"]


@pytest.mark.parametrize("method", ["percentile", "conformal"])
def test_a_score_that_the_threshold_rests_on_is_not_rejected_nor_its_ties(method: str) -> None:
    calibration = calibrated([np.float32(1.1).item()] * 60, method=method, false_reject_rate=0.05)
    tie = np.float32(1.1).item()
    assert calibration.p_value(tie) == 1.0 and calibration.verdict(tie) == "OK"
    assert calibration.verdict(np.nextafter(np.float32(1.1), np.float32(2)).item()) == "NG"


def test_without_a_review_band_there_is_no_review() -> None:
    calibration = calibrated(TEN, review=False)
    assert {calibration.verdict(score) for score in np.linspace(0, 12, 200)} == {"OK", "NG"}


@pytest.mark.parametrize(
    ("n", "ng", "review"),
    [(10, 1, 3), (20, 1, 3), (60, 1, 3), (61, 1, 3), (62, 1, 4), (100, 1, 5), (101, 1, 5), (300, 3, 15)],
)
def test_by_default_one_photo_lies_above_the_threshold_and_three_in_the_review_band_or_above_it(
    n: int, ng: int, review: int
) -> None:
    scores = np.random.default_rng(n).lognormal(size=n).astype(np.float32).astype(float).tolist()
    verdicts = [calibrated(scores).verdict(score) for score in scores]
    assert (verdicts.count("NG"), verdicts.count("NG") + verdicts.count("review")) == (ng, review)


@pytest.mark.parametrize(("n", "review"), [(2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (9, 3)])
def test_with_fewer_than_ten_photos_none_is_rejected_but_at_most_half_reviewed(n: int, review: int) -> None:
    scores = [float(score) for score in range(n)]
    calibration = calibrated(scores)
    assert sum(calibration.verdict(score) != "OK" for score in scores) == review
    assert calibration.threshold > scores[-2]
    assert ("fewer than 10 photos" in calibration.describe()) == (n < 10)


def test_one_photo_unlike_the_others_does_not_move_the_default_threshold_but_the_plain_percentile() -> None:
    usual = np.linspace(1.0, 2.0, 50).tolist()
    odd = [*usual[:-1], 90.0]
    assert calibrated(odd).threshold == calibrated(usual).threshold
    assert calibrated(odd, photos_above=0).threshold > 40
    assert calibrated(odd, photos_above=0).review_threshold == calibrated(usual).review_threshold


def test_no_band_begins_above_the_threshold() -> None:
    low = calibrate(CalibrationRule(method="target-recall", recall=1.0), TEN, TEN, [3.0])
    assert low.review_threshold is None and "no review band" in low.describe()


def test_the_tail_fit_finds_the_percentiles_of_log_normal_scores_whatever_the_highest_score_is() -> None:
    scores = np.random.default_rng(5).lognormal(1.0, 0.2, size=4000)
    fitted = calibrated(scores.tolist(), method="tail-fit")
    assert np.log(fitted.threshold) == pytest.approx(1 + 2.3263 * 0.2, abs=0.02)
    assert np.log(fitted.review_threshold or 0) == pytest.approx(1 + 1.95996 * 0.2, abs=0.02)
    scores[scores.argmax()] = 1e6
    assert calibrated(scores.tolist(), method="tail-fit").threshold == fitted.threshold
    with pytest.raises(NotCalibratedError, match="tail-fit takes logarithms, but an OK photo scores 0"):
        calibrated([0.0, 1.0], method="tail-fit")


def test_a_threshold_can_be_given_by_hand() -> None:
    calibration = calibrated(TEN, method="given", given=8.5, given_review=7.0)
    assert [calibration.verdict(score) for score in (6.9, 7.0, 8.4, 8.5)] == ["OK", "review", "review", "NG"]
    assert "given by hand, from 10 held-out OK photos; 2 lie above it" in calibration.describe()
    assert calibrated(TEN, method="given", given=8.5).review_threshold is None


def test_the_p_value_is_the_share_of_ok_photos_at_least_as_high() -> None:
    calibration = calibrated(TEN)
    assert calibration.p_value(0.0) == 1.0
    assert calibration.p_value(8.0) == 4 / 11  # 8, 9, 10 and the photo itself
    assert calibration.p_value(8.1) == 3 / 11
    assert calibration.p_value(99.0) == 1 / 11


def test_sigma_and_confidence_are_those_of_the_normal_distribution() -> None:
    calibration = calibrated([-1.0, 0.0, 1.0])  # mean 0, standard deviation 1
    assert calibration.sigma(2.5) == pytest.approx(2.5)
    shares = [calibration.confidence(sigma) for sigma in (-1.0, 0.0, 1.0, 2.0, 3.0)]
    assert shares == pytest.approx([0, 0, 0.6827, 0.9545, 0.9973], abs=1e-4)


def test_equal_scores_leave_sigma_finite() -> None:
    calibration = calibrated([2.0, 2.0, 2.0])
    assert calibration.sigma(2.0) == 0
    assert np.isfinite(calibration.sigma(3.0)) and calibration.sigma(3.0) > 3


def test_the_pixel_threshold_comes_from_the_peaks_of_the_maps() -> None:
    peaks = [score * 2 for score in TEN]
    percentile = calibrate(CalibrationRule(percentile=80.0), TEN, peaks)
    assert percentile.pixel_threshold == just_above(float(np.percentile(peaks, 80)))
    conformal = calibrate(CalibrationRule(method="conformal", false_reject_rate=0.1), TEN, peaks)
    assert (conformal.threshold, conformal.pixel_threshold) == (just_above(10.0), just_above(20.0))


def test_it_says_in_words_what_the_thresholds_rest_on_and_promise() -> None:
    assert calibrated(TEN).describe() == (
        "Threshold 9: the 99th percentile, from 10 held-out OK photos; 1 lies above it. "
        "Review from 7: 3 lie there or above, 30 %. "
        "Of good parts like these such thresholds reject at most 18.2 % on average, and this one at most 39.4 % with "
        "95 % confidence."  # scipy.stats.beta.ppf(0.95, 2, 9)
    )
    words = calibrated(TEN, method="conformal", false_reject_rate=0.1).describe()
    assert words.startswith("Threshold 10: conformal at a false-reject rate of 10 %, from 10 held-out OK photos; none")
    assert "reject at most 9.1 % on average, and this one at most 25.9 % with 95 % confidence" in words


def test_target_recall_says_what_it_costs_and_how_sure_it_is() -> None:
    words = calibrate(CalibrationRule(method="target-recall", recall=0.5), TEN, TEN, [9.0, 20.0]).describe()
    assert words.startswith(
        "Threshold 20: the score that catches 50 % of the NG photos, from 10 held-out OK photos; none"
    )
    words = calibrate(CalibrationRule(method="target-recall", recall=1.0), TEN, TEN, [9.0, 20.0]).describe()
    assert "2 lie above it" in words and "rejects at most 50.7 % with 95 % confidence" in words
    assert words.endswith(
        "It caught 2 of 2 NG photos: of defects like these such thresholds catch 66.7 % on average, and this one at "
        "least 22.4 % with 95 % confidence."  # 0.05 ** (1 / 2)
    )


@pytest.mark.parametrize(("rate", "above", "n"), [(0.01, 0, 299), (0.05, 0, 59), (0.01, 1, 473), (0.1, 0, 29)])
def test_the_photos_needed_for_confidence_are_those_of_wilks(rate: float, above: int, n: int) -> None:
    assert photos_needed_with_confidence(rate, above) == n
    assert Promise(n, above).with_confidence <= rate < Promise(n - 1, above).with_confidence


@pytest.mark.parametrize(("n", "above"), [(40, 1), (99, 0), (200, 10)])
def test_both_promises_hold_as_said_over_many_calibrations(n: int, above: int) -> None:
    rng = np.random.default_rng(7)
    # The share of uniform parts above a threshold just above the (above + 1)th highest of n: 1 - that score.
    beyond = 1 - np.sort(rng.random((4000, n)))[:, -1 - above]
    promise = Promise(n, above)
    assert beyond.mean() == pytest.approx(promise.on_average, rel=0.05)
    assert (beyond <= promise.with_confidence).mean() == pytest.approx(0.95, abs=0.015)
    assert (beyond > 0.01).mean() == pytest.approx(promise.share_of_models_beyond(0.01), abs=0.025)


@pytest.mark.parametrize(("rate", "text"), [(0.04, "4 %"), (0.0182, "1.8 %"), (0.001, "0.1 %"), (0.9545, "95.5 %")])
def test_rates_are_written_for_people(rate: float, text: str) -> None:
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("percentile", 0.0),
        ("percentile", 100.0),
        ("percentile", float("nan")),
        ("false_reject_rate", 0.0),
        ("false_reject_rate", -0.1),
        ("false_reject_rate", 1.0),
        ("recall", 0.0),
        ("recall", 1.1),
        ("review_percentile", 0.0),
        ("photos_above", -1),
        ("given", float("inf")),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^calibration\.{key} is .*; it must be .*\.$"):
        CalibrationRule(**{key: value})  # type: ignore[arg-type]


def test_the_sweep_says_what_each_threshold_would_catch_and_reject() -> None:
    ok, ng = np.arange(0.0, 20.0), np.arange(10.0, 40.0)
    choices = sweep(ok, ng)
    assert [choice.threshold for choice in choices] == [10, 11, 13, 14, 16, 19, 25]
    assert choices[0] == (10.0, 1.0, 30, 0.5, 10)
    assert choices[-1] == (25.0, 0.5, 15, 0.0, 0)
    for choice in choices:
        rule = CalibrationRule(method="target-recall", recall=choice.recall)
        assert rule.threshold(ok, ng) == choice.threshold


def test_ties_and_few_ng_photos_give_no_row_twice() -> None:
    assert [choice.threshold for choice in sweep(np.zeros(3), np.array([1.0, 2.0, 2.0]))] == [1.0, 2.0]
