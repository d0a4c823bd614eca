"""The share of all photos that are set aside for a person to look at."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos

TITLE = "review rate"
MEANING = "photos set aside for a person"
UNIT = "share"
BETTER = "lower"
IN_WORDS = "Of {n} parts {k} {were} set aside for a person"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of all photos, those with the verdict "review"."""
    return photos.gets("review")
