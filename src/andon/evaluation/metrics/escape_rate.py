"""Escapes, or missed defects: NG photos that are called OK. One for review, or an invalid one, has not escaped."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos

TITLE = "escape rate"
MEANING = "NG photos called OK"
UNIT = "share"
BETTER = "lower"
IN_WORDS = "Of {n} defective parts {k} {were} called OK"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of the NG photos, those called OK."""
    photos.require_ng()
    return photos.gets("OK")[photos.is_anomalous]
