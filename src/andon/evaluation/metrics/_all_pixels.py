"""The pixels of all photos: both pixel metrics ask for them."""

from andon.evaluation.pixel_curves import PixelCurves
from andon.evaluation.results import Results


def all_pixels(results: Results) -> PixelCurves:
    """One curve over all kinds of defect."""
    return sum(results.pixels.values(), start=PixelCurves())
