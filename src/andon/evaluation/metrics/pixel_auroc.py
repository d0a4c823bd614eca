"""The chance that a defect pixel drawn at random scores higher than a defect-free one drawn at random."""

from andon.evaluation.metrics._all_pixels import all_pixels
from andon.evaluation.results import Results

TITLE = "pixel AUROC"
MEANING = "order of the pixels of the anomaly maps; large defects dominate"
UNIT = "index"
BETTER = "higher"
IN_WORDS = (
    "Take a sound pixel and one of a defect: in {share} of such pairs the defect stands out; large defects dominate"
)


def compute(results: Results) -> float:
    """Area under the ROC curve of the anomaly maps' pixels, in the photos' own pixels."""
    return all_pixels(results).auroc()
