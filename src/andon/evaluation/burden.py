"""One number for what verdicts cost, to put methods into an order where nobody has said what each mistake costs."""

from __future__ import annotations

import numpy as np

from andon.evaluation.judged import JudgedPhotos

OF_A_PERSON = 0.5
"""What a photo weighs that a person must look at, where a wrong verdict weighs 1: to send all photos to review is then
no better and no worse than to pass or to reject all of them."""


def burden(photos: JudgedPhotos) -> float:
    """Share of the OK photos that are rejected and of the NG photos that escape, and half of those that need a person.

    0 where every verdict is right, 1 where all photos get the same one, 2 where every verdict is wrong.
    """
    right = np.where(photos.is_anomalous, photos.gets("NG"), photos.gets("OK"))
    for_a_person = photos.gets("review") | photos.gets("invalid")
    weights = np.where(right, 0.0, np.where(for_a_person, OF_A_PERSON, 1.0))
    classes = [weights[photos.is_anomalous == truth] for truth in (False, True)]
    return float(sum(of_class.mean() for of_class in classes if len(of_class)))
