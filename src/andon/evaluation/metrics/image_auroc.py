"""The chance that an NG photo drawn at random scores higher than an OK photo drawn at random."""

from sklearn.metrics import roc_auc_score

from andon.evaluation.intervals import Interval, auroc_interval
from andon.evaluation.results import Results

TITLE = "image AUROC"
MEANING = "order of the image scores; 0.5 is guessing, 1 is perfect"
UNIT = "index"
BETTER = "higher"
IN_WORDS = "Take a good and a defective part at random: in {share} of such pairs the defective one has the higher score"


def compute(results: Results) -> float:
    """Area under the ROC curve of the image scores."""
    results.require_both()
    return float(roc_auc_score(results.is_anomalous, results.scores))


def interval(results: Results) -> Interval:
    """95 % interval, stratified by class."""
    return auroc_interval(results.scores[~results.is_anomalous], results.scores[results.is_anomalous])
