import numpy as np
import pytest

from andon.evaluation.intervals import auroc_interval, clopper_pearson, newcombe


def test_clopper_pearson_gives_the_textbook_bounds():
    assert clopper_pearson(1, 26) == pytest.approx((0.00097, 0.1964), abs=1e-4)
    assert clopper_pearson(0, 71) == pytest.approx((0, 1 - 0.025 ** (1 / 71)))
    assert clopper_pearson(10, 10) == pytest.approx((0.025 ** (1 / 10), 1))


def test_newcombe_bounds_are_where_chance_just_explains_the_distance():
    low, high = newcombe(0.9, 600, 50)
    for bound in (low, high):
        spread = 1 + 24 * (1 - bound) / (2 - bound) + 24 * bound / (1 + bound)
        assert abs(0.9 - bound) == pytest.approx(1.95996 * np.sqrt(bound * (1 - bound) * spread / 600), abs=1e-5)
    assert low < 0.9 < high
    assert newcombe(0.1, 600, 50) == pytest.approx((1 - high, 1 - low))


def test_perfect_separation_is_not_taken_for_certainty():
    low, high = auroc_interval(np.arange(20.0), np.arange(100.0, 130.0))
    assert high == 1
    assert 0.85 < low < 0.95


def test_interval_narrows_with_more_photos_and_repeats_exactly():
    generator = np.random.default_rng(0)
    few = auroc_interval(generator.normal(size=15), generator.normal(1, size=20))
    many_ok, many_ng = generator.normal(size=600), generator.normal(1, size=800)
    many = auroc_interval(many_ok, many_ng)
    assert many == auroc_interval(many_ok, many_ng)
    assert few[1] - few[0] > 3 * (many[1] - many[0])
    assert many[0] < 0.76 < many[1]  # the AUROC of two normal distributions one deviation apart


def test_one_photo_of_a_class_has_an_interval_too():
    low, high = auroc_interval(np.array([1.0]), np.array([2.0, 3.0]))
    assert low < 0.5
    assert high == 1
