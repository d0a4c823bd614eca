"""The share of all photos that do not look like photos of the part, and so get no verdict on it."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos

TITLE = "invalid rate"
MEANING = "photos without a verdict, as they are unlike those of OK parts"
UNIT = "share"
BETTER = "lower"
IN_WORDS = "Of {n} photos {k} {were} invalid"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of all photos, those with the verdict "invalid"."""
    return photos.gets("invalid")
