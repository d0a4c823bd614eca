"""The picture shows the part beside its regions, and says how the score lies to the threshold."""

from __future__ import annotations

import numpy as np
import pytest

from andon.reports.colours import VERDICT
from andon.reports.pictures.part_and_regions import part_and_regions
from andon.types import Inspection, Region, RgbImage, Verdict

PHOTO = np.full((300, 200, 3), 120, np.uint8)
ROI = np.zeros((300, 200), bool)
ROI[60:260, 50:150] = True
REGION = Region((80, 100, 110, 130), 900, 2.0, 1.5)


def inspection(verdict: Verdict, *regions: Region) -> Inspection:
    score = 1.2 if verdict == "NG" else 0.4
    return Inspection(
        "a.png", "", score, 0.7, verdict, p_value=0.1, sigma=3.0, confidence=0.9, regions=regions, roi=ROI
    )


def count(picture: RgbImage, colour: tuple[int, int, int]) -> int:
    return int((picture == colour).all(axis=2).sum())


@pytest.mark.parametrize(("verdict", "other"), [("OK", "NG"), ("NG", "OK")])
def test_the_verdict_is_written_in_its_colour(verdict: Verdict, other: Verdict) -> None:
    picture = part_and_regions(PHOTO, inspection(verdict), ROI)
    assert count(picture, VERDICT[verdict]) > 100
    assert count(picture, VERDICT[other]) == 0


def test_the_box_lies_on_the_right_picture_alone_where_it_lies_on_the_part() -> None:
    plain, boxed = (
        part_and_regions(PHOTO, inspection("NG"), ROI),
        part_and_regions(PHOTO, inspection("NG", REGION), ROI),
    )
    rows, columns = np.nonzero((plain != boxed).any(axis=2))
    height, width = plain.shape[:2]
    assert columns.min() > width / 2
    # The box begins a fifth of the part's height below its top, and a tenth to the left of its middle.
    assert columns.max() < 0.85 * width and rows.max() < 0.5 * height


def test_what_is_not_the_part_is_dimmed_on_the_left_alone() -> None:
    picture = part_and_regions(np.zeros((300, 200, 3), np.uint8), inspection("OK"), ROI)
    middle = picture.shape[1] // 2
    dimmed = (picture == 191).all(axis=2)
    assert dimmed[:, :middle].any() and not dimmed[:, middle:].any()
