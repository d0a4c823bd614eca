"""The share of right verdicts; a photo set aside for review has none. It depends on the share of NG photos."""

from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.results import Results


def compute(results: Results) -> float:
    """Right verdicts / photos."""
    k, n = _count(results)
    return k / n


def interval(results: Results) -> Interval:
    """Exact binomial 95 % interval."""
    return clopper_pearson(*_count(results))


def _count(results: Results) -> tuple[int, int]:
    right = results.count(is_anomalous=False, verdict="OK") + results.count(is_anomalous=True, verdict="NG")
    return right, len(results.scores)
