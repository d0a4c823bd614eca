"""False rejects, or overkill: OK photos that are called NG. One for review, or an invalid one, is not rejected."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos

TITLE = "false-reject rate"
MEANING = "OK photos called NG"
UNIT = "share"
BETTER = "lower"
IN_WORDS = "Of {n} good parts {k} {were} rejected"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of the OK photos, those called NG."""
    photos.require_ok()
    return photos.gets("NG")[~photos.is_anomalous]
