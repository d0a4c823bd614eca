"""A test martingale against "these values come in no particular order", with a bound on its false alarms.

Let x_1, x_2, ... be exchangeable: every order of them is as likely as any other. That holds for independent draws from
one distribution, whatever it is. What is claimed, and why:

1. p_t, the rank of x_t from above among x_1 ... x_t, spread at random over its step and over ties, is uniform on
   (0, 1], and p_1, p_2, ... are independent: an order of t values is a list of such ranks, all t! are equally likely,
   and ties are broken by lot (Vovk, Nouretdinov & Gammerman 2003, theorem 1). Ranks within a fixed reference set are
   not independent: all of them share its luck, bets on them pile it up, and the bound is lost.
2. Each bet is a density b on [0, 1], so E[b(p_t) | past] <= 1. A bet that starts at block s has then made
   R_s,t = b(p_s) ... b(p_t) of 1. The stake is 1/N on each start s = 1 ... N, shared by the bets alike. What has not
   started is kept, so M_t = 1 - t/N + mean over bets of sum over s of R_s,t / N, with M_0 = 1, is a nonnegative
   supermartingale: it is the Shiryaev-Roberts statistic with its starts paid for beforehand.
3. Ville (1939): P(M_t >= 1/alpha for some t <= N) <= alpha. After N values the stakes are placed anew, and the ranks
   go on. After an alarm the ranks begin anew, too: what follows is exchangeable still, given all before. So a horizon
   of N values has an alarm with probability at most alpha, and k of them with at most alpha^k, as each alarm needs a
   new start. Their mean is at most alpha + alpha^2 + ... = alpha / (1 - alpha).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Change = Literal["higher", "lower", "scattered"]
CHANGES: tuple[Change, ...] = get_args(Change)
EXPONENTS = np.array([0.1, 0.3, 0.6])
"""Of the bets a p^(a-1): the first is for gross changes, the last for slight ones."""
SMALLEST = 1e-12  # p-values are taken to be no smaller, which makes no bet better


def bets(p: Values) -> Values:
    """What each bet makes of 1.

    Args:
        p: (...) p-values in [0, 1]; small ones are of high values.

    Returns:
        (..., 3, 3): for each of `CHANGES` and `EXPONENTS`.
    """
    sides = np.stack([p, 1 - np.asarray(p)], axis=-1)[..., None]
    one_sided = EXPONENTS * np.maximum(sides, SMALLEST) ** (EXPONENTS - 1)
    return np.concatenate([one_sided, one_sided.mean(axis=-2, keepdims=True)], axis=-2)


def rank_from_above(past: list[float], value: float, lot: float) -> float:
    """The p-value of `value`, which joins `past`.

    Args:
        past: ascending; changed.
        lot: drawn uniformly from (0, 1], independently of all values.
    """
    insort(past, value)
    below, up_to = bisect_left(past, value), bisect_right(past, value)
    return (len(past) - up_to + lot * (up_to - below)) / len(past)


class Martingale:
    """Of one sequence of values; deterministic, given its seed.

    Args:
        horizon: N >= 1, the number of values that the bound is for.
        seed: of the lots that break ties; whole numbers from 0.
    """

    def __init__(self, horizon: int, seed: tuple[int, ...]) -> None:
        self.horizon = horizon
        self.p_values: list[float] = []
        self._seed = seed
        self._past: list[float] = []
        self._made = np.zeros((len(CHANGES), len(EXPONENTS)))

    def add(self, value: float) -> None:
        """Take the next value, which is finite."""
        place = len(self.p_values)
        if place % self.horizon == 0:
            self._made[:] = 0
        lot = 1 - np.random.default_rng([*self._seed, place]).random()
        p = rank_from_above(self._past, value, lot)
        self.p_values.append(p)
        self._made = (self._made + 1) * bets(np.array(p))

    @property
    def evidence(self) -> float:
        """M_t: what 1 has become by betting that the order matters."""
        return float(1 + (self._made.mean() - self._in_horizon) / self.horizon)

    @property
    def change(self) -> Change:
        """What the bets that have made most are on."""
        return CHANGES[int(self._made.sum(axis=1).argmax())]

    @property
    def onset(self) -> int:
        """The place, from 0, of the first value of the change, if there is one: where the best bet had best begun."""
        kind, exponent = np.unravel_index(self._made.argmax(), self._made.shape)
        grown = np.log(bets(np.array(self.p_values[-self._in_horizon :]))[:, kind, exponent])
        return len(self.p_values) - 1 - int(np.cumsum(grown[::-1]).argmax())

    @property
    def _in_horizon(self) -> int:
        return (len(self.p_values) - 1) % self.horizon + 1 if self.p_values else 0
