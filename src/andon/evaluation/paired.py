"""What two methods said of the same photos: the difference of their figures, and how far chance explains it.

Each photo is judged once by each method. With folds, several models of a method share the work, and a model's scores
are compared among each other only: two models need not have one scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from andon.evaluation.intervals import Interval, Values, newcombe
from andon.evaluation.judged import JudgedPhotos
from andon.evaluation.undefined import Undefined


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged(JudgedPhotos):
    """What one method said; the photos are the same, in the same order, for every method that is compared.

    Attributes:
        fold: (n,) int, which of the method's models judged the photo; all 0 where there is one model.
    """

    fold: NDArray[np.int64]


class Estimate(NamedTuple):
    """A figure or a difference with its interval."""

    value: float
    interval: Interval


class _Area(NamedTuple):
    """An AUROC, its interval, and by how much each photo moves it (n,): the sum of their squares is its variance."""

    value: float
    interval: Interval
    influence: Values


def auroc(judged: Judged, level: float = 0.95) -> Estimate:
    """The image AUROC over all pairs of an OK and an NG photo that one model judged, and its interval.

    The interval is DeLong's (Biometrics 44:837, 1988) widened to Newcombe's, because DeLong's has no width where all
    pairs are in order.

    Raises:
        Undefined: no model judged photos of both classes.
    """
    area = _area(judged, level)
    return Estimate(area.value, area.interval)


def auroc_difference(a: Judged, b: Judged, level: float = 0.95) -> Estimate:
    """The image AUROC of `a` less that of `b`, with an interval that knows of their correlation on the same photos.

    The intervals of the two are combined as in Zou and Donner (Statistics in Medicine 27:1693, 2008, equation 5); the
    correlation is DeLong's. `benchmarks/coverage.py` simulates how often it holds the truth; DeLong's own interval of
    the difference does so far too rarely where one of the two is nearly perfect.

    Raises:
        Undefined: no model judged photos of both classes.
    """
    one, other = _area(a, level), _area(b, level)
    spread = math.sqrt(float(np.sum(one.influence**2) * np.sum(other.influence**2)))
    correlation = float(np.sum(one.influence * other.influence)) / spread if spread > 0 else 0.0
    difference = one.value - other.value
    down = _combined(one.value - one.interval[0], other.interval[1] - other.value, correlation)
    up = _combined(one.interval[1] - one.value, other.value - other.interval[0], correlation)
    return Estimate(difference, (max(-1.0, difference - down), min(1.0, difference + up)))


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def _area(judged: Judged, level: float) -> _Area:
    ng = judged.is_anomalous
    same_model = judged.fold[~ng][:, None] == judged.fold[ng][None, :]
    n_pairs = int(same_model.sum())
    if not n_pairs:
        raise Undefined("there are no OK or no NG photos to tell apart")
    ok_scores, ng_scores = judged.scores[~ng][:, None], judged.scores[ng][None, :]
    wins = np.where(same_model, (ng_scores > ok_scores) + 0.5 * (ng_scores == ok_scores), 0.0)
    value = float(wins.sum()) / n_pairs
    excess = np.where(same_model, wins - value, 0.0) / n_pairs
    influence = np.empty(len(ng))
    influence[~ng] = _widened(excess.sum(axis=1))
    influence[ng] = _widened(excess.sum(axis=0))
    half = float(norm.ppf(0.5 + level / 2) * np.sqrt(np.sum(influence**2)))
    n_models = len(np.unique(judged.fold))
    low, high = newcombe(value, n_pairs, len(ng) / n_models, level)
    return _Area(value, (max(0.0, min(low, value - half)), min(1.0, max(high, value + half))), influence)


def _widened(influence: Values) -> Values:
    """Times sqrt(n / (n - 1)), which makes the sum of squares an unbiased variance."""
    n = len(influence)
    return influence * math.sqrt(n / (n - 1)) if n > 1 else influence


def rate_difference(a: NDArray[np.bool_], b: NDArray[np.bool_], level: float = 0.95) -> Estimate:
    """The share of photos that are True in `a` less that in `b`, of the same n > 0 photos, with its interval.

    The adjusted Wald interval for paired proportions of Bonett and Price (Journal of Educational and Behavioral
    Statistics 37:479, 2012): it has a width even where no photo tells the two apart.
    """
    n = len(a)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    p, q = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    half = float(norm.ppf(0.5 + level / 2)) * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return Estimate((only_a - only_b) / n, (max(-1.0, p - q - half), min(1.0, p - q + half)))
