"""The share of the NG photos that are called NG; one set aside for review does not count."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos

TITLE = "recall"
MEANING = "NG photos called NG"
UNIT = "share"
BETTER = "higher"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of the NG photos, those called NG."""
    photos.require_ng()
    return photos.gets("NG")[photos.is_anomalous]
