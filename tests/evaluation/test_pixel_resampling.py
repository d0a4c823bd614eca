"""Pixel figures of resampled photos."""

from __future__ import annotations

import numpy as np
import pytest

from andon.evaluation import PixelCurves
from andon.evaluation.pixel_resampling import resample
from andon.evaluation.undefined import Undefined

SHAPE = (24, 36)


def photos(seed, contrast, n_ok=6, n_ng=8, with_masks=True):
    """Histograms, truths, and the exact curves of noisy photos with a square defect."""
    rng, exact, histograms = np.random.default_rng(seed), PixelCurves(), []
    for number in range(n_ok + n_ng):
        mask = np.zeros(SHAPE, bool)
        if number >= n_ok and with_masks:
            mask[4:10, 6 + number : 12 + number] = True
        anomaly_map = (rng.gamma(4, 0.25, SHAPE) + mask * contrast * rng.uniform(0.5, 1.5)).astype(np.float32)
        curves = PixelCurves()
        curves.update(anomaly_map, mask)
        exact.update(anomaly_map, mask)
        histograms.append(curves.coarse())
    return np.array(histograms), np.repeat([False, True], [n_ok, n_ng]), exact


def test_undrawn_the_figures_are_those_of_all_photos():
    histograms, is_anomalous, exact = photos(0, 0.6)
    found = resample(histograms, is_anomalous, np.zeros(14, int)).estimates()
    assert found["pixel_auroc"].value == pytest.approx(exact.auroc(), abs=1e-3)
    assert found["aupro"].value == pytest.approx(exact.aupro(), abs=1e-3)
    for value, (low, high) in found.values():
        assert value - 0.3 < low < value < high < value + 0.3


def test_with_folds_a_scale_per_model_changes_nothing():
    histograms, is_anomalous, _ = photos(1, 0.8)
    fold = np.arange(14) % 2
    scaled = np.where(fold[:, None, None] == 1, np.roll(histograms, 300, axis=2), histograms)
    plain, moved = (resample(of, is_anomalous, fold).estimates() for of in (histograms, scaled))
    assert moved["pixel_auroc"].value == pytest.approx(plain["pixel_auroc"].value)
    alone = [resample(histograms[fold == k], is_anomalous[fold == k], np.zeros(7, int)).areas[0, 0] for k in (0, 1)]
    assert plain["pixel_auroc"].value == pytest.approx(np.mean(alone))  # as many masks in either
    assert resample(scaled, is_anomalous, np.zeros(14, int)).areas[0, 0] != pytest.approx(plain["pixel_auroc"].value)


def test_a_clearly_better_map_is_shown_to_be_and_an_equal_one_is_not():
    (weak, is_anomalous, _), (strong, *_), (equal, *_) = photos(2, 0.3), photos(2, 1.5), photos(3, 0.3)
    fold = np.zeros(14, int)
    of = [resample(histograms, is_anomalous, fold) for histograms in (weak, strong, equal)]
    assert of[1].minus(of[0]).estimates()["pixel_auroc"].interval[0] > 0
    low, high = of[2].minus(of[0]).estimates()["pixel_auroc"].interval
    assert low < 0 < high


def test_one_mask_says_nothing_of_other_photos():
    histograms, is_anomalous, _ = photos(4, 0.8, n_ok=2, n_ng=1)
    assert resample(histograms, is_anomalous, np.zeros(3, int)).estimates()["aupro"].interval[1] > 1


def test_without_masks_there_is_no_figure():
    histograms, is_anomalous, _ = photos(5, 0, with_masks=False)
    with pytest.raises(Undefined, match="mask"):
        resample(histograms, is_anomalous, np.zeros(14, int))
