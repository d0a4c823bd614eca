"""How many verdicts are right; review and invalid never are. It depends on the share of NG photos."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos

TITLE = "accuracy"
MEANING = "verdicts that are right; review and invalid never are"
UNIT = "share"
BETTER = "higher"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of all photos, those that got the right verdict."""
    return np.where(photos.is_anomalous, photos.gets("NG"), photos.gets("OK"))
