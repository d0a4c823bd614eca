"""How good the verdicts, the scores and the maps are, against what is known of the photos.

`Accumulator` collects the inspections of a test set one by one, `summarise` turns them into figures. A figure is one
file in `metrics`; one that has no meaning for a test set is `Undefined`, with the reason, never 0 or 1.
"""

from andon.evaluation.accumulator import Accumulator
from andon.evaluation.pixel_curves import PixelCurves
from andon.evaluation.results import Results
from andon.evaluation.summary import describe_metrics, summarise
from andon.evaluation.undefined import Undefined

__all__ = ["Accumulator", "PixelCurves", "Results", "Undefined", "describe_metrics", "summarise"]
