"""What thresholds cost, against sums done by hand and every choice there is."""

from __future__ import annotations

import numpy as np
import pytest

from andon.errors import InputError
from andon.line.costs import Prices, cheapest, outcome

OK = np.arange(1.0, 100.0)  # 99 of them
NG = np.arange(90.0, 109.0)  # 19 of them, 10 among the OK photos


def test_an_outcome_is_a_sum_of_parts_and_prices() -> None:
    prices = Prices(escape=100, reject=5, review=1, share_ng=0.2)
    done = outcome(OK, NG, 99.5, 95.0, prices)
    # OK: none above 99.5, counted as 1 of 100; 5 from 95 on, as 6 of 100. NG: 5 below 95, as 6 of 20; 10 below 99.5.
    assert (done.rejects, done.escapes) == pytest.approx((8, 60))
    assert done.reviews == pytest.approx(800 * 0.05 + 200 * 5 / 20)
    assert done.cost == pytest.approx(8 * 5 + 90 * 1 + 60 * 100)


@pytest.mark.parametrize("review", [False, True])
@pytest.mark.parametrize("prices", [(100, 5, 1), (10, 10, 9), (8, 20, 4), (3, 10, 2), (10, 200, 9.5), (1, 100, 50)])
def test_no_thresholds_are_cheaper_than_the_cheapest(prices: tuple[float, float, float], review: bool) -> None:
    rng = np.random.default_rng(0)
    ok, ng = rng.lognormal(0, 0.3, 30).round(2), rng.lognormal(0.5, 0.4, 12).round(2)
    escape, reject, look = prices
    named = Prices(escape=escape, reject=reject, review=look, share_ng=0.7)
    best = cheapest(ok, ng, named, review=review)
    bars = np.unique(np.concatenate([ok, ng, ok + 0.005, ng + 0.005]))
    tried = [
        outcome(ok, ng, float(high), None if low == high else float(low), named).cost
        for high in bars
        for low in bars
        if low == high or (review and low < high)
    ]
    assert best.cost == pytest.approx(min(tried))
    assert best.review_threshold is None or (review and best.review_threshold < best.threshold)


def test_free_reviews_catch_everything_and_dear_ones_are_not_asked_for() -> None:
    free = cheapest(OK, NG, Prices(escape=100, reject=5, review=0, share_ng=0.1), review=True)
    assert free.review_threshold is not None and free.review_threshold <= 90 and free.threshold > 99
    dear = cheapest(OK, NG, Prices(escape=100, reject=5, review=1000, share_ng=0.1), review=True)
    assert dear.review_threshold is None


@pytest.mark.parametrize(("name", "value"), [("escape", -1.0), ("review", float("nan")), ("share_ng", 1.5)])
def test_prices_that_make_no_sense_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match="give a"):
        Prices(**({"escape": 1, "reject": 1, "review": 1, "share_ng": 0.1} | {name: value}))
