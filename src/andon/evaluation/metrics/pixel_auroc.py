"""The chance that a random defect pixel scores higher than a random defect-free one; large defects dominate it."""

from andon.evaluation.metrics._all_pixels import all_pixels
from andon.evaluation.results import Results


def compute(results: Results) -> float:
    """Area under the ROC curve of the anomaly maps' pixels, in the photos' own pixels."""
    return all_pixels(results).auroc()
