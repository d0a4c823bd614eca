"""Who teaches and who judges: no golden photo teaches, nor does a copy of one."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import plate_photos
import pytest
from stations import Station, digest, free, png, rusty, stamped

from andon import images
from andon.errors import InputError
from andon.images import OpenedPhotos
from andon.improving import Chosen, choose, is_protected
from andon.store import NewInspection


def chosen(station: Station, seen: frozenset[str] = frozenset()) -> Chosen:
    return choose(station.store, station.photos, "plates", seen, OpenedPhotos())


def digests(found: Chosen) -> tuple[set[str], set[str]]:
    """Of those who teach, and of those who judge."""
    teaching, judging = ({one.inspection.photo_sha256 for one in part} for part in (found.candidates, found.golden))
    return teaching, judging


def everybody(found: Chosen) -> set[str]:
    teaching, judging = digests(found)
    return teaching | judging


def test_a_fifth_is_protected_by_its_digest_alone() -> None:
    protected = sum(is_protected(hashlib.sha256(b"%d" % number).hexdigest()) for number in range(2000))
    assert 350 < protected < 450


def test_ng_and_a_fifth_of_ok_judge_and_the_rest_teaches(reviewed: Station) -> None:
    found = chosen(reviewed)
    teaching, judging = digests(found)
    assert not teaching & judging and len(teaching) + len(judging) == 16
    assert {one.kind for one in found.candidates} == {"OK"} and not any(map(is_protected, teaching))
    assert [one.kind for one in found.golden].count("NG") == 4
    assert all(is_protected(one.inspection.photo_sha256) for one in found.golden if one.kind == "OK")
    assert 1 <= sum(one.kind == "OK" for one in found.golden) <= 5 and found.remarks == ()


def test_what_was_made_golden_by_hand_does_not_teach(reviewed: Station) -> None:
    first = chosen(reviewed).candidates[0].inspection
    reviewed.store.golden.add([first.inspection_id], "OK")
    teaching, judging = digests(chosen(reviewed))
    assert first.photo_sha256 in judging - teaching


def test_a_photo_that_nobody_reviewed_judges_if_it_was_made_golden(reviewed: Station) -> None:
    unreviewed = reviewed.inspect(rusty(600))
    reviewed.store.golden.add([unreviewed], "NG")
    assert unreviewed in {one.inspection.inspection_id for one in chosen(reviewed).golden if one.kind == "NG"}


def test_copies_of_golden_photos_do_not_teach(reviewed: Station) -> None:
    found = chosen(reviewed)
    golden = next(one for one in found.golden if one.kind == "OK")
    flipped = cv2.flip(images.read(golden.path), 1)
    copies = (np.clip(flipped.astype(int) + step, 0, 255).astype(np.uint8) for step in range(20))
    reviewed.inspect(next(copy for copy in copies if not is_protected(digest(copy))), "OK")
    again = chosen(reviewed)
    assert digests(again) == digests(found) and again.remarks == ("1 photo looks like a golden one.",)


def test_people_who_disagree_are_not_listened_to(reviewed: Station) -> None:
    one = free(range(400, 412))[0]
    reviewed.inspect(stamped(one), "NG")
    found = chosen(reviewed)
    assert digest(stamped(one)) not in everybody(found)
    assert found.remarks == ("1 photo is OK in one review and NG in another.",)


def test_what_is_undone_does_not_count(reviewed: Station) -> None:
    inspection = chosen(reviewed).candidates[0].inspection
    reviewed.store.reviews.undo(inspection.inspection_id, by="ann")
    assert inspection.photo_sha256 not in everybody(chosen(reviewed))


def test_photos_that_taught_the_model_neither_teach_again_nor_judge(reviewed: Station) -> None:
    found = chosen(reviewed)
    seen = frozenset({found.candidates[0].inspection.photo_sha256, found.golden[0].inspection.photo_sha256})
    again = chosen(reviewed, seen)
    assert not seen & everybody(again)
    assert again.remarks == (
        "1 golden photo has taught this model already.",
        "1 photo has taught this model already.",
    )


def test_what_is_invalid_to_the_guard_does_not_teach(station: Station) -> None:
    first, second = free(range(400, 420))[:2]
    station.inspect(stamped(first), "OK")
    inspection_id = station.inspect(stamped(second))
    row = station.store.inspections.get(inspection_id).row | {"inspection_id": "again", "verdict": "invalid"}
    station.store.inspections.add(NewInspection(row=row))
    station.store.reviews.add("again", "OK", by="ann")
    found = chosen(station)
    assert len(found.candidates) == 1
    assert found.remarks == ("1 photo was invalid to the guard, which stays as it is.",)


def test_photos_that_are_gone_or_damaged_are_told(reviewed: Station) -> None:
    gone, damaged, *_ = chosen(reviewed).candidates
    gone.path.unlink()
    damaged.path.write_bytes(png(plate_photos.part(1)))
    found = chosen(reviewed)
    assert found.remarks == ("1 reviewed photo is no longer kept.", "1 photo is damaged.")
    assert not {gone.path, damaged.path} & {one.path for one in found.candidates}


def test_without_photos_there_is_nothing_to_choose_from(station: Station) -> None:
    with pytest.raises(InputError, match="holds no inspection by a model called plates"):
        chosen(station)
    inspection_id = station.inspect(stamped(400))
    with pytest.raises(InputError, match=r"None of the 1 inspections by plates in .* was reviewed yet"):
        chosen(station)
    station.store.reviews.add(inspection_id, "OK", by="ann")
    station.photos.path(station.store.inspections.get(inspection_id).photo_sha256).unlink()
    with pytest.raises(InputError, match="None of the 1 reviewed photos is kept in"):
        chosen(station)
