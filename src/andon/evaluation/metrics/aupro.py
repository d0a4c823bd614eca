"""How much of each defect the map covers, whatever its size, at up to 30 % falsely marked pixels."""

from andon.evaluation.metrics._all_pixels import all_pixels
from andon.evaluation.results import Results

TITLE = "AUPRO"
MEANING = "coverage of each defect by the map, at up to 30\N{NO-BREAK SPACE}% false alarms"
UNIT = "index"
BETTER = "higher"
IN_WORDS = (
    "With up to 30\N{NO-BREAK SPACE}% of the sound area marked by mistake, {share} of a defect is covered on average, "
    "a small defect counting as much as a large one"
)


def compute(results: Results) -> float:
    """Area under the per-region overlap up to a false-positive rate of 0.3, normalised to [0, 1]."""
    return all_pixels(results).aupro()
