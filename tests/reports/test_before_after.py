"""The before/after sheet shows the photo and every step, and points out what a step could not do."""

from __future__ import annotations

import numpy as np

from andon.reports.colours import MEASURED
from andon.reports.pictures.before_after import before_after
from andon.types import Frame


def test_one_tile_for_the_photo_and_one_per_step() -> None:
    photo = np.full((60, 90, 3), 128, np.uint8)
    frame = Frame.whole(photo)
    one, six = before_after(photo, [("clahe", frame)]), before_after(photo, [("clahe", frame)] * 6)
    assert one.shape[0] < six.shape[0]
    assert one.shape[1] < six.shape[1]
    assert (one == 128).all(axis=2).sum() > 2 * 200 * 130


def test_a_narrowed_roi_is_outlined() -> None:
    photo = np.full((60, 90, 3), 128, np.uint8)
    roi = np.zeros((60, 90), bool)
    roi[20:40, 30:60] = True
    whole, narrowed = Frame.whole(photo), Frame(photo, roi, np.eye(3), (60, 90))
    assert not (before_after(photo, [("otsu_roi", whole)]) == MEASURED).all(axis=2).any()
    assert (before_after(photo, [("otsu_roi", narrowed)]) == MEASURED).all(axis=2).sum() > 200


def test_a_note_is_written_once_at_its_own_step() -> None:
    photo = np.full((60, 90, 3), 128, np.uint8)
    frame = Frame.whole(photo)
    noted = frame.with_note("no part was found: the whole photo is used")
    plain = before_after(photo, [("a", frame), ("b", frame)])
    at_first = before_after(photo, [("a", noted), ("b", noted)])
    at_second = before_after(photo, [("a", frame), ("b", noted)])
    columns_first = np.flatnonzero((plain != at_first).any(axis=(0, 2)))
    columns_second = np.flatnonzero((plain != at_second).any(axis=(0, 2)))
    assert columns_first.size
    assert columns_first.max() < columns_second.min()


def test_a_huge_or_slender_photo_fits_its_tile() -> None:
    photo = np.full((3000, 40, 3), 128, np.uint8)
    assert before_after(photo, [("resize", Frame.whole(photo))]).shape[0] < 500
