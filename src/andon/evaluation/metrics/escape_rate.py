"""Missed defects: the share of the NG photos that are called OK; one set aside for review has not escaped."""

from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.results import Results


def compute(results: Results) -> float:
    """NG photos called OK / NG photos."""
    k, n = _count(results)
    return k / n


def interval(results: Results) -> Interval:
    """Exact binomial 95 % interval."""
    return clopper_pearson(*_count(results))


def _count(results: Results) -> tuple[int, int]:
    results.require_ng()
    return results.count(is_anomalous=True, verdict="OK"), results.n_ng
