from collections.abc import Sequence

import numpy as np
import pytest

from andon.drift.shares import Limits, limits


def limits_of(k: Sequence[int], n: Sequence[int]) -> Limits:
    found = limits(k, n)
    assert found is not None
    return found


def counts(shares, n, seed=0):
    return np.random.default_rng(seed).binomial(n, shares).tolist()


def test_chance_alone_hardly_ever_lies_beyond():
    beyond = [limits_of(counts(np.full(30, 0.02), 1000, seed), [1000] * 30).beyond for seed in range(100)]
    assert np.mean(beyond) < 0.01


def test_a_day_that_differs_lies_beyond_on_its_side():
    ng = [20] * 30
    ng[7], ng[21] = 60, 0
    found = limits_of(ng, [1000] * 30)
    assert np.flatnonzero(found.beyond).tolist() == [7, 21]
    assert found.high[7] < 0.06
    assert found.low[21] > 0


def test_a_lasting_change_is_seen():
    shares = np.where(np.arange(30) < 20, 0.005, 0.015)
    found = limits_of(counts(shares, 6600), [6600] * 30)
    assert sum(found.beyond[20:]) >= 8
    assert sum(found.beyond[:20]) <= 3


def test_days_that_always_differ_are_usual():
    """By an ordinary p chart nearly all of them would lie beyond, as each has 100,000 photos."""
    shares = np.random.default_rng(1).uniform(0.01, 0.02, 40)
    assert not any(limits_of(counts(shares, 100_000), [100_000] * 40).beyond)


def test_the_fewer_photos_the_wider_the_limits():
    found = limits_of([10, 100] * 6, [500, 5000] * 6)
    assert found.mean == pytest.approx(0.02)
    sigma = np.sqrt(0.02 * 0.98 / np.array([500, 5000]))
    assert found.high[:2] == pytest.approx(0.02 + 3 * sigma)
    assert found.low[:2] == pytest.approx(np.maximum(0.02 - 3 * sigma, 0))


@pytest.mark.parametrize(
    ("k", "n"),
    [([], []), ([0] * 20, [0] * 20), ([1] * 5, [100] * 5), ([0] * 20, [100] * 20), ([9] * 20, [9] * 20)],
    ids=["no days", "no photos", "few days", "no NG", "all NG"],
)
def test_where_nothing_can_be_compared_there_are_no_limits(k, n):
    assert limits(k, n) is None


def test_of_a_rare_thing_one_is_no_change_and_empty_days_none_either():
    found = limits_of([2, 0, 1, 1, 0, 2, 1, 1, 3, 0, 1], [200] * 8 + [200, 0, 2])
    assert not any(found.beyond)
