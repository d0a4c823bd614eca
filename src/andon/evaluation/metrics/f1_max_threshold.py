"""The threshold at which F1 is highest."""

from andon.evaluation.metrics._best_f1 import best_f1
from andon.evaluation.results import Results

TITLE = "F1-max threshold"
MEANING = "the score at which F1 is highest"
UNIT = "score"
BETTER = None


def compute(results: Results) -> float:
    """Score from which on a photo would have to be called NG; the highest one where several do as well."""
    return best_f1(results)[1]
