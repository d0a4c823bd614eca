"""The bounds of a promise, held against scipy's beta distribution, which they are without scipy."""

from __future__ import annotations

import pytest
from scipy.special import betainc, betaincinv

from andon.line.promises import Promise, at_most, lower_bound, recall_bound, upper_bound

COUNTS = [(0, 1), (0, 2), (1, 2), (0, 299), (3, 99), (50, 99), (98, 99), (1000, 20000), (19999, 20000)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_bounds_are_those_of_clopper_and_pearson(k: int, n: int) -> None:
    assert upper_bound(k, n) == pytest.approx(betaincinv(k + 1, n - k, 0.95), rel=1e-9)
    assert lower_bound(n - k, n) == pytest.approx(1 - betaincinv(k + 1, n - k, 0.95), rel=1e-9)
    assert recall_bound(k + 1, n) == pytest.approx(betaincinv(k + 1, n - k, 0.05), rel=1e-9)


@pytest.mark.parametrize(("k", "n"), COUNTS)
@pytest.mark.parametrize("rate", [0.0001, 0.01, 0.5, 0.99])
def test_the_share_of_models_beyond_a_rate(k: int, n: int, rate: float) -> None:
    assert Promise(n, k).share_of_models_beyond(rate) == pytest.approx(1 - betainc(k + 1, n - k, rate), abs=1e-9)


@pytest.mark.parametrize(
    ("k", "n", "share", "probability"), [(3, 3, 0.7, 1.0), (0, 3, 0.0, 1.0), (2, 3, 1.0, 0.0), (1, 2, 0.5, 0.75)]
)
def test_the_probability_at_its_ends(k: int, n: int, share: float, probability: float) -> None:
    assert at_most(k, n, share) == pytest.approx(probability)


def test_nothing_is_bounded_where_all_lie_above() -> None:
    assert upper_bound(5, 5) == 1
    assert lower_bound(0, 5) == 0
