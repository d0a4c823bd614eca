import json
from pathlib import Path

import numpy as np
import pytest

from andon.errors import ConfigError, DatasetError
from andon.evaluation import Accumulator, summarise
from andon.evaluation.metrics import measure
from andon.types import Inspection, Sample, Verdict

THRESHOLD, REVIEW = 5.0, 4.0


def inspection(score, anomaly_map=None):
    verdict: Verdict = "NG" if score >= THRESHOLD else "review" if score >= REVIEW else "OK"
    return Inspection(
        path="a.png",
        sha256="",
        score=score,
        threshold=THRESHOLD,
        verdict=verdict,
        p_value=0.5,
        sigma=0.0,
        confidence=0.0,
        anomaly_map=anomaly_map,
    )


def sample(defect):
    is_anomalous = defect != "good"
    return Sample(Path("a.png"), is_anomalous=is_anomalous, defect=defect if is_anomalous else None)


def figures_of(**scores):
    accumulator = Accumulator()
    for defect, values in scores.items():
        for score in values:
            accumulator.add(sample(defect), inspection(score))
    return summarise(accumulator.results())


def test_figures_of_a_hand_worked_test_set():
    figures = figures_of(good=[1, 2, 4.5, 7], scratch=[6, 4.2], rust=[9, 3, 8, 5])
    assert (figures["n_ok"], figures["n_ng"], figures["threshold"]) == (4, 6, 5.0)
    assert figures["confusion"] == {
        "OK": {"OK": 2, "review": 1, "NG": 1, "invalid": 0},
        "NG": {"OK": 1, "review": 1, "NG": 4, "invalid": 0},
    }
    assert figures["false_reject_rate"] == pytest.approx(1 / 4)
    assert figures["escape_rate"] == pytest.approx(1 / 6)
    assert figures["recall"] == pytest.approx(4 / 6)
    assert figures["precision"] == pytest.approx(4 / 5)
    assert figures["accuracy"] == pytest.approx(6 / 10)
    assert figures["review_rate"] == pytest.approx(2 / 10)
    assert figures["image_auroc"] == pytest.approx(18 / 24)
    assert figures["f1_max"] == pytest.approx(12 / 14)  # everything from 3 on: 6 of 6 found, 2 false alarms
    assert figures["f1_max_threshold"] == 3
    assert figures["ok_review_rate"] == pytest.approx(1 / 4)
    assert figures["ng_review_rate"] == pytest.approx(1 / 6)
    assert figures["counts"]["ng_review_rate"] == [1, 6]
    best = {"above": 2, "up_to": 3, "n_rejected": 2, "n_escaped": 0}  # 2 of 4; from 5 on it is 1 of 4 and 2 of 6
    assert figures["best_threshold"] == best
    assert figures["intervals"]["escape_rate"] == pytest.approx([0.0042, 0.6412], abs=1e-4)
    low, high = figures["intervals"]["image_auroc"]
    assert low < 18 / 24 < high


def test_f1_max_takes_the_highest_of_equally_good_thresholds():
    figures = figures_of(good=[3, 3], rust=[4, 2])
    assert figures["f1_max"] == pytest.approx(4 / 6)  # from 2 on as well as from 4 on
    assert figures["f1_max_threshold"] == 4


def test_average_precision_falls_with_one_false_alarm_on_top():
    assert figures_of(good=[1, 9], rust=[8, 7])["image_ap"] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_each_kind_of_defect_is_held_against_all_good_photos():
    per_defect = figures_of(good=[1, 2, 6], scratch=[1.5, 1.7], rust=[7, 8, 9])["per_defect"]
    assert list(per_defect) == ["rust", "scratch"]
    assert (per_defect["rust"]["n_ok"], per_defect["rust"]["n_ng"]) == (3, 3)
    assert per_defect["rust"]["image_auroc"] == 1
    assert per_defect["rust"]["false_reject_rate"] == pytest.approx(1 / 3)
    assert per_defect["scratch"]["image_auroc"] == pytest.approx(2 / 6)
    assert per_defect["scratch"]["escape_rate"] == 1


def test_only_good_photos_leave_what_needs_both_classes_undefined_with_its_reason():
    figures = figures_of(good=[1, 2, 3])
    for name in ("image_auroc", "image_ap", "f1_max", "precision", "recall", "escape_rate"):
        assert figures[name] is None
        assert figures["undefined"][name] == "the test set has no NG photo"
        assert name not in figures["intervals"]
    assert figures["false_reject_rate"] == 0
    assert "mask" in figures["undefined"]["pixel_auroc"]
    assert json.loads(json.dumps(figures)) == figures


def test_only_ng_photos_leave_overkill_undefined_and_nothing_called_ng_leaves_precision():
    assert figures_of(rust=[9, 8])["undefined"]["false_reject_rate"] == "the test set has no OK photo"
    assert figures_of(rust=[1], good=[2])["undefined"]["precision"] == "no photo was called NG"


def test_pixel_figures_count_good_photos_and_keep_the_kinds_of_defect_apart():
    found = np.zeros((8, 12), dtype=np.float32)
    found[2:4, 3:6] = 9
    missed = np.zeros((6, 20), dtype=np.float32)
    mask = np.zeros((6, 20), dtype=bool)
    mask[1:3, 1:3] = True
    accumulator = Accumulator()
    accumulator.add(sample("good"), inspection(1, np.ones((5, 7), dtype=np.float32)))
    accumulator.add(sample("rust"), inspection(9, found), found > 0)
    accumulator.add(sample("scratch"), inspection(9, missed), mask)
    accumulator.add(sample("scratch"), inspection(9, np.full((4, 6), 99, dtype=np.float32)), None)  # nobody drew a mask
    figures = summarise(accumulator.results())
    assert figures["per_defect"]["rust"]["pixel_auroc"] == pytest.approx(1)
    n_one, n_zero = 35, (96 - 6) + (120 - 4)
    missed_auroc = 0.5 * 116 / (35 + 116)
    assert figures["per_defect"]["scratch"]["pixel_auroc"] == pytest.approx(missed_auroc)
    whole = (6 * 1 + 4 * 0.5 * n_zero / (n_one + n_zero)) / 10
    assert figures["pixel_auroc"] == pytest.approx(whole)
    assert 0 < figures["aupro"] < 1


def test_an_ng_photo_of_no_named_defect_is_not_taken_for_good():
    accumulator = Accumulator()
    accumulator.add(Sample(Path("a.png"), is_anomalous=True), inspection(9))
    accumulator.add(Sample(Path("b.png"), is_anomalous=False), inspection(1))
    figures = summarise(accumulator.results())
    assert (figures["n_ok"], figures["n_ng"]) == (1, 1)
    assert figures["per_defect"]["unnamed"]["recall"] == 1


def test_bad_samples_are_named():
    accumulator = Accumulator()
    with pytest.raises(DatasetError, match=r"a.png has no label"):
        accumulator.add(Sample(Path("a.png")), inspection(1))
    rusty = Sample(Path("a.png"), is_anomalous=True, masks=(Path("m.png"),))
    with pytest.raises(DatasetError, match=r"The mask of a.png is 6 x 4 pixels but its photo is 6 x 5"):
        accumulator.add(rusty, inspection(1, np.ones((5, 6), dtype=np.float32)), np.ones((4, 6), dtype=bool))
    with pytest.raises(DatasetError, match="No labelled photo"):
        accumulator.results()


def test_a_misspelt_metric_suggests_the_nearest():
    accumulator = Accumulator()
    accumulator.add(sample(None), inspection(1))
    with pytest.raises(ConfigError, match="did you mean 'image_auroc'"):
        measure("image_aroc", accumulator.results())
