"""Metrics: one file is one figure, found by its file name; other packages add theirs as entry points `andon.metrics`.

A metric's file says all there is to say of it:

    TITLE      as it stands within a sentence: "image AUROC"
    MEANING    a few words for whoever does not know it
    UNIT       "share" (of photos, printed in percent), "index" (from 0 to 1) or "score" (as the model's image scores)
    BETTER     "higher", "lower", or None where neither is better
    IN_WORDS   optional, the sentence of its headline without the full stop: {share} is the figure in percent and, of a
               rate, {n} the photos, {k} those that count, {were} "was" or "were"

and computes it. A rate has `cases(photos) -> (n,) bool`, one entry for each photo that it is a share of, True for those
that count; the figure is their share, with its exact binomial interval. Any other has `compute(results) -> float` and,
where there is one, `interval(results)`, its 95 % interval. All raise `Undefined` where the figure has no meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError
from andon.evaluation.headlines import HEADLINES
from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.judged import JudgedPhotos
from andon.evaluation.results import Results
from andon.evaluation.undefined import Undefined
from andon.plugins import Parts

__all__ = ["Figure", "Metric", "cases", "describe", "measure", "names"]

PARTS = Parts("metric", __name__, ("TITLE", "MEANING", "UNIT", "BETTER"), group="andon.metrics")
Unit = Literal["share", "index", "score"]
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """What a metric's file says of it; see above."""

    title: str
    meaning: str
    unit: Unit
    better: Better | None
    in_words: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for whoever reads the figures without Andon."""
        return {"title": self.title, "meaning": self.meaning, "unit": self.unit, "better": self.better}


@dataclass(frozen=True)
class Figure:
    """A metric of one test set.

    Attributes:
        interval: 95 % interval, where the metric has one.
        count: (k, n) of a rate, which is k / n.
    """

    value: float
    interval: Interval | None = None
    count: tuple[int, int] | None = None


def names() -> list[str]:
    """The names of all metrics: those of the headlines first, then the others in alphabetical order."""
    places = {name: place for place, name in enumerate(HEADLINES)}
    return sorted(PARTS.names(), key=lambda name: (places.get(name, len(places)), name))


def describe(name: str) -> Metric:
    """What the metric's file says of it.

    Raises:
        ConfigError: there is no such metric, and the message suggests the nearest name; or what another package brings
            is not a metric.
    """
    module = PARTS.load(name)
    if module.UNIT not in get_args(Unit) or module.BETTER not in (*get_args(Better), None):
        raise ConfigError(
            f"The metric {name!r} has UNIT = {module.UNIT!r} and BETTER = {module.BETTER!r}; UNIT must be one of "
            f"{', '.join(get_args(Unit))}, and BETTER one of {', '.join(get_args(Better))}, None."
        )
    if not (hasattr(module, "cases") or hasattr(module, "compute")):
        raise ConfigError(f"The metric {name!r} computes nothing; its module must define cases() or compute().")
    return Metric(module.TITLE, module.MEANING, module.UNIT, module.BETTER, getattr(module, "IN_WORDS", None))


def measure(name: str, results: Results) -> Figure:
    """The figure of that name.

    Raises:
        ConfigError: as `describe`.
        Undefined: the figure has no meaning for these results.
    """
    metric: ModuleType = PARTS.load(name)
    if hasattr(metric, "cases"):
        flags = cases(name, results)
        k, n = int(flags.sum()), len(flags)
        return Figure(k / n, clopper_pearson(k, n), (k, n))
    return Figure(metric.compute(results), metric.interval(results) if hasattr(metric, "interval") else None)


def cases(name: str, photos: JudgedPhotos) -> NDArray[np.bool_]:
    """For a rate: which of the photos that it refers to, at least one, count.

    Raises:
        ConfigError: as `describe`.
        Undefined: it refers to no photo at all.
    """
    flags: NDArray[np.bool_] = PARTS.load(name).cases(photos)
    if not len(flags):
        raise Undefined("the test set has no photo to which it applies")
    return flags
