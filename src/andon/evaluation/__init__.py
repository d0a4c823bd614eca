"""How good the verdicts, the image scores and the anomaly maps are, measured against the ground truth.

`Accumulator` collects the inspections of a test set one by one, `summarise` turns them into figures. Each figure is one
file in `metrics`; one that has no meaning for a test set is `Undefined`, with the reason, never 0 or 1.
"""

from andon.evaluation.accumulator import Accumulator
from andon.evaluation.judged import JudgedPhotos
from andon.evaluation.pixel_curves import PixelCurves
from andon.evaluation.results import Results
from andon.evaluation.summary import describe_metrics, summarise
from andon.evaluation.undefined import Undefined

__all__ = ["Accumulator", "JudgedPhotos", "PixelCurves", "Results", "Undefined", "describe_metrics", "summarise"]
