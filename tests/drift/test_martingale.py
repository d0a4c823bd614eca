"""The ranks, the bets, what they earn, and how often they cry wolf."""

from __future__ import annotations

import numpy as np
import pytest

from andon.drift.martingale import CHANGES, EXPONENTS, Martingale, bets, rank_from_above


def ranks(values, lots):
    past: list[float] = []
    return [rank_from_above(past, value, lot) for value, lot in zip(values, lots, strict=True)]


def test_the_rank_is_the_share_of_values_above_and_a_lot_decides_among_equals():
    assert ranks([3.0, 1.0, 2.0, 2.0], [0.5, 0.5, 1.0, 0.25]) == [0.5, 1.5 / 2, 2 / 3, 1.5 / 4]


def test_ranks_of_few_different_values_are_uniform_and_tell_nothing_of_the_next():
    rng = np.random.default_rng(1)
    n = 20_000
    p = np.array(ranks(rng.integers(0, 3, n).tolist(), (1 - rng.random(n)).tolist()))
    counts = np.histogram2d(p[:-1], p[1:], bins=5, range=[(0, 1), (0, 1)])[0]
    expected = (n - 1) / 25
    assert (np.square(counts - expected) / expected).sum() < 43  # 99 % of the chi-squared distribution, 24 degrees


def test_every_bet_is_fair():
    """Its integral over [0, 1] is 1. Near the ends, where it is steep, the integral is known in closed form."""
    margin, n = 1e-3, 100_000
    middles = margin + (1 - 2 * margin) * (np.arange(n) + 0.5) / n
    ends = margin**EXPONENTS + 1 - (1 - margin) ** EXPONENTS
    assert bets(middles).mean(axis=0) * (1 - 2 * margin) + ends == pytest.approx(np.ones((3, 3)), abs=1e-4)


def test_each_change_has_bets_of_its_own():
    gain = {kind: bets(np.array(p)).mean(axis=-1) for kind, p in (("higher", 0.01), ("lower", 0.99))}
    assert CHANGES[int(gain["higher"].argmax())] == "higher" and CHANGES[int(gain["lower"].argmax())] == "lower"
    both = np.log(bets(np.array([0.01, 0.99]))).sum(axis=0).mean(axis=-1)
    assert CHANGES[int(both.argmax())] == "scattered"


def test_the_evidence_is_what_stakes_on_every_start_have_made():
    horizon = 20
    martingale = Martingale(horizon, (7,))
    for t, value in enumerate(np.random.default_rng(2).normal(size=2 * horizon + 5).tolist()):
        martingale.add(value)
        first = t - t % horizon
        made = bets(np.array(martingale.p_values[first:]))
        started = sum(made[start:].prod(axis=0).mean() for start in range(len(made)))
        assert martingale.evidence == pytest.approx((horizon - len(made) + started) / horizon)


def test_the_lots_follow_from_the_seed():
    def evidence(*seed: int) -> float:
        martingale = Martingale(50, seed)
        for value in np.random.default_rng(3).normal(size=30).tolist():
            martingale.add(value)
        return martingale.evidence

    assert evidence(1, 0) == evidence(1, 0) != evidence(1, 1)


def test_the_onset_is_where_the_values_change():
    rng = np.random.default_rng(4)
    martingale = Martingale(200, (0,))
    for value in np.concatenate([rng.normal(size=60), rng.normal(-4, size=10)]).tolist():
        martingale.add(value)
    assert martingale.change == "lower" and martingale.onset == 60


def alarms_without_drift(values, alpha, *, fixed=0):
    """The share of the rows of `values` (years, N) with an alarm; ranks are taken within the first `fixed`, if any."""
    years, horizon = values.shape
    lots = np.random.default_rng(5).random(values.shape)
    made, reached = np.zeros((years, len(CHANGES), len(EXPONENTS))), np.zeros(years, bool)
    for t in range(fixed, horizon):
        past, new = values[:, : fixed or t], values[:, t : t + 1]
        n_equal = (past == new).sum(axis=1) + 1
        p = ((past > new).sum(axis=1) + lots[:, t] * n_equal) / (past.shape[1] + 1)
        made = (made + 1) * bets(p)
        reached |= 1 + (made.mean(axis=(1, 2)) - (t + 1)) / horizon >= 1 / alpha
    return reached.mean()


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "coins"])
def test_of_1000_years_without_drift_no_more_have_an_alarm_than_promised(draw):
    rng = np.random.default_rng(6)
    size = (1000, 250)
    values = rng.integers(0, 2, size).astype(float) if draw == "coins" else getattr(rng, draw)(size=size)
    assert alarms_without_drift(values, 0.1) <= 0.1
    assert alarms_without_drift(values, 0.5) <= 0.5


def test_ranks_within_a_fixed_set_would_break_the_promise():
    values = np.random.default_rng(7).normal(size=(300, 1000))
    assert alarms_without_drift(values, 0.1, fixed=30) > 0.2
