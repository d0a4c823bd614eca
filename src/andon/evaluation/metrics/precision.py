"""How far an NG verdict can be trusted: the share of NG photos among those called NG."""

import numpy as np
from numpy.typing import NDArray

from andon.evaluation.judged import JudgedPhotos
from andon.evaluation.undefined import Undefined

TITLE = "precision"
MEANING = "NG verdicts that are right"
UNIT = "share"
BETTER = "higher"


def cases(photos: JudgedPhotos) -> NDArray[np.bool_]:
    """Of the photos called NG, those that are."""
    photos.require_both()
    called = photos.gets("NG")
    if not called.any():
        raise Undefined("no photo was called NG")
    return photos.is_anomalous[called]
