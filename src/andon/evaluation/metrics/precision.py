"""How far an NG verdict can be trusted: the share of NG photos among those called NG."""

from andon.evaluation.intervals import Interval, clopper_pearson
from andon.evaluation.results import Results
from andon.evaluation.undefined import Undefined


def compute(results: Results) -> float:
    """NG photos called NG / photos called NG."""
    k, n = _count(results)
    return k / n


def interval(results: Results) -> Interval:
    """Exact binomial 95 % interval."""
    return clopper_pearson(*_count(results))


def _count(results: Results) -> tuple[int, int]:
    results.require_both()
    right = results.count(is_anomalous=True, verdict="NG")
    called = right + results.count(is_anomalous=False, verdict="NG")
    if not called:
        raise Undefined("no photo was called NG")
    return right, called
