"""Overkill: the share of the OK photos that are called NG; one set aside for review is not rejected."""

from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.results import Results


def compute(results: Results) -> float:
    """OK photos called NG / OK photos."""
    k, n = _count(results)
    return k / n


def interval(results: Results) -> Interval:
    """Exact binomial 95 % interval."""
    return clopper_pearson(*_count(results))


def _count(results: Results) -> tuple[int, int]:
    results.require_ok()
    return results.count(is_anomalous=False, verdict="NG"), results.n_ok
