"""The precision averaged over the recall; unlike the AUROC it depends on the share of NG photos in the test set."""

from sklearn.metrics import average_precision_score

from andon.evaluation.results import Results

TITLE = "average precision"
MEANING = "precision over all thresholds"
UNIT = "index"
BETTER = "higher"


def compute(results: Results) -> float:
    """Average precision of the image scores."""
    results.require_both()
    return float(average_precision_score(results.is_anomalous, results.scores))
