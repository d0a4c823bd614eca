"""Where F1 is highest: two metrics ask for it."""

import numpy as np
from sklearn.metrics import precision_recall_curve

from andon.evaluation.results import Results


def best_f1(results: Results) -> tuple[float, float]:
    """The highest F1 that any threshold reaches, and the highest threshold that reaches it (NG from there on)."""
    results.require_both()
    precision, recall, thresholds = precision_recall_curve(results.is_anomalous, results.scores)
    precision, recall = precision[:-1], recall[:-1]  # the last point has no threshold
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.flatnonzero(f1 == f1.max())[-1])
    return float(f1[best]), float(thresholds[best])
