"""The share of the OK photos that are set aside for a person: neither rejected nor escaped."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos

TITLE = "review of good parts"
MEANING = "OK photos set aside for a person"
UNIT = "share"
BETTER = "lower"
IN_WORDS = "Of {n} good parts {k} {were} set aside for a person"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of the OK photos, those with the verdict "review"."""
    photos.require_ok()
    return photos.gets("review")[~photos.is_anomalous]
