"""The share of the NG photos that are called NG; one set aside for review does not count."""

from andon.evaluation.results import Results


def count(results: Results) -> tuple[int, int]:
    """NG photos called NG / NG photos."""
    results.require_ng()
    return results.count(is_anomalous=True, verdict="NG"), results.n_ng
