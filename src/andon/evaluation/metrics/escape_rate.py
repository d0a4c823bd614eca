"""Missed defects: the share of the NG photos that are called OK; one set aside for review has not escaped."""

from andon.evaluation.results import Results


def count(results: Results) -> tuple[int, int]:
    """NG photos called OK / NG photos."""
    results.require_ng()
    return results.count(is_anomalous=True, verdict="OK"), results.n_ng
