from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from andon.evaluation import PixelCurves, Undefined


def curves_of(*photos):
    curves = PixelCurves()
    for values, mask in photos:
        curves.update(np.array(values, dtype=np.float32), np.array(mask, dtype=bool))
    return curves


def random_photo(generator, size, scale):
    mask = np.zeros(size, dtype=bool)
    for _ in range(3):
        y, x = generator.integers(0, size[0] - 4), generator.integers(0, size[1] - 8)
        mask[y : y + generator.integers(1, 5), x : x + generator.integers(1, 9)] = True
    values = scale * generator.gamma(2, size=size) * np.where(mask, 2, 1)
    return values.astype(np.float32), mask


def brute_force_aupro(photos, max_fpr):
    """Threshold by threshold and region by region, as the definition reads."""
    ok = np.concatenate([values[~mask] for values, mask in photos])
    regions = []
    for values, mask in photos:
        labels, n = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [values[labels == label] for label in range(1, n + 1)]
    thresholds = np.unique(np.concatenate([values.ravel() for values, _ in photos]))[::-1]
    fpr = np.array([0, *[(ok >= t).mean() for t in thresholds]])
    overlap = np.array([0, *[np.mean([(region >= t).mean() for region in regions]) for t in thresholds]])
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(zip(fpr, overlap, strict=True)):
        end = min(x1, max_fpr)
        if end > x0:
            area += (end - x0) * (y0 + y0 + (y1 - y0) * (end - x0) / (x1 - x0)) / 2
    return area / max_fpr


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e5])
def test_agrees_with_sklearn_and_with_the_definition_over_photos_of_mixed_sizes(scale):
    generator = np.random.default_rng(3)
    photos = [random_photo(generator, size, scale) for size in [(20, 33), (48, 17), (9, 64)]]
    curves = curves_of(*photos)
    truth = np.concatenate([mask.ravel() for _, mask in photos])
    values = np.concatenate([values.ravel() for values, _ in photos])
    assert curves.auroc() == pytest.approx(roc_auc_score(truth, values), abs=1e-3)
    for max_fpr in (0.3, 0.05):
        assert curves.aupro(max_fpr) == pytest.approx(brute_force_aupro(photos, max_fpr), abs=1e-3)


def test_a_small_region_counts_as_much_as_a_large_one():
    mask = np.zeros((10, 30), dtype=bool)
    mask[2:8, 2:20] = True
    mask[4, 27] = True
    only_large = np.where(mask, 1.0, 0.0)
    only_large[4, 27] = 0.0
    assert curves_of((only_large, mask)).aupro(0.3) == pytest.approx((0.5 + (0.5 + 0.3 * 0.5)) / 2)
    assert curves_of((np.where(mask, 1.0, 0.0), mask)).aupro(0.3) == pytest.approx(1)


def test_pixels_that_touch_at_a_corner_are_one_region():
    mask = [[1, 0, 0, 0], [0, 1, 0, 1]]
    values = [[9, 0, 0, 0], [0, 9, 0, 0]]  # of two regions one is found; of three it would be two
    fpr_limit = 0.3
    assert curves_of((values, mask)).aupro(fpr_limit) == pytest.approx(0.5 + 0.5 * fpr_limit / 2)


def test_ties_between_defect_and_background_count_half():
    assert curves_of(([[1, 1, 2]], [[0, 1, 0]])).auroc() == pytest.approx(0.25)


def test_negative_zero_is_zero():
    assert curves_of(([[-0.0, 1.0, 2.0]], [[0, 0, 1]])).auroc() == pytest.approx(1)


def test_good_photos_add_background_and_sums_equal_one_pass():
    defect = ([[1.0, 5.0]], [[0, 1]])
    good = ([[9.0, 0.0, 0.0], [0.0, 0.0, 0.0]], np.zeros((2, 3)))
    assert curves_of(defect, good).auroc() == pytest.approx(6 / 7)
    assert (curves_of(defect) + curves_of(good)).auroc() == pytest.approx(6 / 7)
    assert (curves_of(defect) + curves_of(good)).aupro() == curves_of(defect, good).aupro()


def test_no_defect_and_no_background_are_undefined():
    with pytest.raises(Undefined, match="no photo with a ground-truth mask"):
        curves_of(([[1.0, 2.0]], [[0, 0]])).auroc()
    with pytest.raises(Undefined, match="every pixel is marked"):
        curves_of(([[1.0, 2.0]], [[1, 1]])).aupro()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_values_that_cannot_be_ranked_are_refused(bad):
    with pytest.raises(ValueError, match="finite and nowhere below 0"):
        curves_of(([[1.0, bad]], [[0, 1]]))
