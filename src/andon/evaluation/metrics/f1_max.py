"""The F1 that the best threshold would reach: known only after looking at the test set, so no promise for the line."""

from andon.evaluation.metrics._best_f1 import best_f1
from andon.evaluation.results import Results

TITLE = "F1-max"
MEANING = "F1 at the best threshold, which is known only afterwards"
UNIT = "index"
BETTER = "higher"


def compute(results: Results) -> float:
    """Highest harmonic mean of precision and recall over all thresholds."""
    return best_f1(results)[0]
