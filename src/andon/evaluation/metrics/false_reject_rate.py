"""Overkill: the share of the OK photos that are called NG; one set aside for review is not rejected."""

from andon.evaluation.results import Results


def count(results: Results) -> tuple[int, int]:
    """OK photos called NG / OK photos."""
    results.require_ok()
    return results.count(is_anomalous=False, verdict="NG"), results.n_ok
