"""How much of each defect the map covers, whatever its size, at up to 30 % falsely marked pixels."""

from andon.evaluation.metrics._all_pixels import all_pixels
from andon.evaluation.results import Results


def compute(results: Results) -> float:
    """Area under the per-region overlap up to a false-positive rate of 0.3, normalised to [0, 1]."""
    return all_pixels(results).aupro()
