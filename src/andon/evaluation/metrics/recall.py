"""The share of the NG photos that are called NG; one set aside for review does not count."""

from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.results import Results


def compute(results: Results) -> float:
    """NG photos called NG / NG photos."""
    k, n = _count(results)
    return k / n


def interval(results: Results) -> Interval:
    """Exact binomial 95 % interval."""
    return clopper_pearson(*_count(results))


def _count(results: Results) -> tuple[int, int]:
    results.require_ng()
    return results.count(is_anomalous=True, verdict="NG"), results.n_ng
