"""Whether the scores of accepted parts change, with an alarm whose false alarms are bounded (`martingale`).

Parts of one day, lot or lamp resemble each other, so single parts come in an order, with or without drift that matters.
Hence the unit is the block, by default a day: its parts give one value for each watched quantile, and the order of
blocks is what is tested.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from andon.config import Tree, from_dict
from andon.drift.martingale import Change, Martingale
from andon.errors import ConfigError

MOST_SCORES = 1000
"""A block's quantiles are those of so many of its scores, drawn by lot where it has more."""
HORIZONS = 8
"""After so many of them the monitor begins anew, so that it stays small."""
BECAME: Mapping[Change, str] = {
    "higher": "is higher than before",
    "lower": "is lower than before",
    "scattered": "varies more than before",
}


@dataclass(frozen=True)
class Settings:
    """Attributes:
    alpha: without drift, a horizon has an alarm with at most this probability; in (0, 1).
    horizon: so many blocks, such as the working days of a year; at least 10.
    shares: the quantiles that are watched, each in (0, 1).
    least: a block of fewer parts is passed over; at least 1.
    seed: of the lots; at least 0.

    Raises:
        ConfigError: one is out of range.
    """

    alpha: float = 0.1
    horizon: int = 250
    shares: tuple[float, ...] = (0.5, 0.9)
    least: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ConfigError(f"alpha is {self.alpha}; expected a probability between 0 and 1, such as 0.1.")
        if self.horizon < 10:
            raise ConfigError(f"horizon is {self.horizon}; expected at least 10 blocks.")
        if not self.shares or not all(0 < share < 1 for share in self.shares):
            raise ConfigError(f"shares is {self.shares}; expected quantiles between 0 and 1, such as 0.5.")
        if self.least < 1:
            raise ConfigError(f"least is {self.least}; expected at least 1 part.")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; expected a whole number from 0.")

    @property
    def bar(self) -> float:
        """The evidence at which a quantile raises the alarm: each has its part of `alpha`."""
        return len(self.shares) / self.alpha


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Attributes:
    block: after which it was raised.
    since: the block with which the change began, as far as that can be told.
    n_blocks: so many were compared, this one included.
    share: of the quantile that changed.
    change: what became of it.
    evidence: for a change, at least `Settings.bar`.
    """

    block: str
    since: str
    n_blocks: int
    share: float
    change: Change
    evidence: float
    settings: Settings = field(repr=False)

    @property
    def sentence(self) -> str:
        """For people: what changed, and how often such an alarm is false."""
        what = "median" if self.share == 0.5 else f"{100 * self.share:g} % quantile"
        return (
            f"Since about {self.since} the {what} of the accepted parts' scores {BECAME[self.change]} "
            f"(seen after {self.block}, in {self.n_blocks} blocks). Without drift, {self.settings.horizon} blocks "
            f"have an alarm with a probability of at most {self.settings.alpha:g}."
        )


@dataclass(frozen=True)
class OpenBlock:
    """The block under way: `n` parts, and those of their scores that are kept."""

    name: str
    n: int = 0
    scores: tuple[float, ...] = ()

    def joined(self, score: float, seed: Sequence[int]) -> OpenBlock:
        """With one more part; each of the n is kept with the same probability (Vitter 1985, algorithm R)."""
        grown = replace(self, n=self.n + 1)
        if self.n < MOST_SCORES:
            return replace(grown, scores=(*self.scores, score))
        place = int(np.random.default_rng([*seed, self.n]).integers(grown.n))
        if place >= MOST_SCORES:
            return grown
        return replace(grown, scores=(*self.scores[:place], score, *self.scores[place + 1 :]))


@dataclass(frozen=True)
class State:
    """What is stored of a monitor; all else follows from it.

    Attributes:
        stretch: how often it has begun anew.
        names, values: of the blocks since then, in order; values (n, len(shares)).

    Raises:
        ConfigError: `stretch` is below 0, or the open block has other scores than it should.
    """

    settings: Settings
    stretch: int
    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    open_block: OpenBlock | None = None

    def __post_init__(self) -> None:
        block = self.open_block
        if self.stretch < 0 or (block and len(block.scores) != min(block.n, MOST_SCORES)):
            raise ConfigError(
                "The stored state of the drift monitor is damaged: its counts are wrong. Start a new one."
            )


class Monitor:
    """Watches one station's accepted parts, judged by one model with one threshold.

    After an alarm it begins anew: the blocks that come then are compared with each other.
    """

    def __init__(self, settings: Settings | None = None, *, stretch: int = 0) -> None:
        self.settings = settings or Settings()
        self.names: list[str] = []
        self.values: list[tuple[float, ...]] = []
        self.open_block: OpenBlock | None = None
        self._begin(stretch)

    def restart(self) -> None:
        """Forget all blocks, the open one too: after another model, another threshold, another lamp."""
        self.open_block = None
        self._begin(self._stretch + 1)

    def update(self, score: float, block: str) -> Alarm | None:
        """Take the score of the next accepted part. The first part of another block ends the one before.

        Args:
            block: the part's day, hour or lot, not "".

        Raises:
            ValueError: the score is not a finite number, or the block has no name.
        """
        if not math.isfinite(score):
            raise ValueError(f"The score {score} is not a finite number.")
        if not block:
            raise ValueError("The block has no name; name the day, the hour or the lot.")
        alarm = self.close() if self.open_block and self.open_block.name != block else None
        seed = (self.settings.seed, self._stretch, len(self.settings.shares), len(self.names))
        self.open_block = (self.open_block or OpenBlock(block)).joined(float(score), seed)
        return alarm

    def close(self) -> Alarm | None:
        """End the open block, if there is one: the day is over, the lot is done."""
        ended, self.open_block = self.open_block, None
        if ended is None or ended.n < self.settings.least:
            return None
        return self.add(ended.name, np.quantile(ended.scores, self.settings.shares).tolist())

    def add(self, block: str, values: Sequence[float]) -> Alarm | None:
        """Take a whole block that has been summed up elsewhere.

        Args:
            values: (len(shares),) the quantiles of its accepted parts' scores.

        Raises:
            ValueError: there are more or fewer, or one is not a finite number.
        """
        if len(values) != len(self.settings.shares) or not np.isfinite(values).all():
            raise ValueError(
                f"{block} has the quantiles {values}; expected {len(self.settings.shares)} finite numbers."
            )
        if len(self.names) == HORIZONS * self.settings.horizon:
            self._begin(self._stretch + 1)
        self.names.append(block)
        self.values.append(tuple(map(float, values)))
        for martingale, value in zip(self._martingales, self.values[-1], strict=True):
            martingale.add(value)
        if self.evidence < self.settings.bar:
            return None
        alarm = self._alarm()
        self._begin(self._stretch + 1)
        return alarm

    @property
    def evidence(self) -> float:
        """For a change, of the quantile that has most of it: 1 at first; at `settings.bar` there is an alarm."""
        return max(martingale.evidence for martingale in self._martingales)

    def to_dict(self) -> Tree:
        """Plain values for JSON; `from_dict` goes on from there as if nothing had happened."""
        names, values = tuple(self.names), tuple(self.values)
        return asdict(State(self.settings, self._stretch, names, values, self.open_block))

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Self:
        """What `to_dict` gave; the blocks are taken again, in milliseconds per hundred.

        Raises:
            ConfigError: something is missing, of another type, or out of range.
        """
        state = from_dict(State, tree, "drift")
        monitor = cls(state.settings, stretch=state.stretch)
        try:
            alarms = [monitor.add(*block) for block in zip(state.names, state.values, strict=True)]
        except ValueError as error:
            raise ConfigError(f"The stored state of the drift monitor is damaged: {error} Start a new one.") from error
        if any(alarms):
            raise ConfigError(
                "The stored state of the drift monitor is damaged: its blocks raise an alarm. Start a new one."
            )
        monitor.open_block = state.open_block
        return monitor

    def _begin(self, stretch: int) -> None:
        """A new stretch of blocks, with lots of its own."""
        self._stretch = stretch
        self.names, self.values = [], []
        seeds = [(self.settings.seed, stretch, quantile) for quantile in range(len(self.settings.shares))]
        self._martingales = [Martingale(self.settings.horizon, seed) for seed in seeds]

    def _alarm(self) -> Alarm:
        martingales = self._martingales
        quantile = max(range(len(martingales)), key=lambda place: martingales[place].evidence)
        found = martingales[quantile]
        return Alarm(
            block=self.names[-1],
            since=self.names[found.onset],
            n_blocks=len(self.names),
            share=self.settings.shares[quantile],
            change=found.change,
            evidence=found.evidence,
            settings=self.settings,
        )
