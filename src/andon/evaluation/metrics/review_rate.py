"""The share of all photos that are set aside for a person to look at."""

from andon.evaluation.results import Results


def count(results: Results) -> tuple[int, int]:
    """Photos with the verdict "review" / photos."""
    aside = results.count(is_anomalous=False, verdict="review") + results.count(is_anomalous=True, verdict="review")
    return aside, len(results.scores)
