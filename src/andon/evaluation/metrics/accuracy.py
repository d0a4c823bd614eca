"""The share of right verdicts; a photo set aside for review has none. It depends on the share of NG photos."""

from andon.evaluation.results import Results


def count(results: Results) -> tuple[int, int]:
    """Right verdicts / photos."""
    right = results.count(is_anomalous=False, verdict="OK") + results.count(is_anomalous=True, verdict="NG")
    return right, len(results.scores)
