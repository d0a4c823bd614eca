"""Records that hold arrays compare without raising: such a one is equal to itself alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plate_photos

from andon.line.calibration import CalibrationRule, calibrate
from andon.types import Frame, Likeness, Nearest, Scores


def test_records_with_arrays_compare_by_identity_and_can_be_put_into_a_set() -> None:
    photo = plate_photos.part(1)
    scores = [0.1, 0.2, 0.3]
    nearest = np.zeros((2, 3, 4, 3), np.float32)
    records = (
        Frame.whole(photo),
        Scores(nearest[:, 0, 0, 0], nearest[..., 0], nearest[:, 0, :, 0]),
        Nearest(nearest[..., 0], nearest),
        Likeness("a.png", 1.0, photo, photo),
        calibrate(CalibrationRule(), scores, scores),
    )
    for record in records:
        twin = replace(record)
        assert record == record and record != twin
        assert len({record, twin, record}) == 2
