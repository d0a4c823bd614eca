"""How far an NG verdict can be trusted: the share of NG photos among those called NG."""

from andon.evaluation.results import Results
from andon.evaluation.undefined import Undefined


def count(results: Results) -> tuple[int, int]:
    """NG photos called NG / photos called NG."""
    results.require_both()
    right = results.count(is_anomalous=True, verdict="NG")
    called = right + results.count(is_anomalous=False, verdict="NG")
    if not called:
        raise Undefined("no photo was called NG")
    return right, called
