"""The share of all photos that are set aside for a person to look at."""

from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.results import Results


def compute(results: Results) -> float:
    """Photos with the verdict "review" / photos."""
    k, n = _count(results)
    return k / n


def interval(results: Results) -> Interval:
    """Exact binomial 95 % interval."""
    return clopper_pearson(*_count(results))


def _count(results: Results) -> tuple[int, int]:
    aside = results.count(is_anomalous=False, verdict="review") + results.count(is_anomalous=True, verdict="review")
    return aside, len(results.scores)
