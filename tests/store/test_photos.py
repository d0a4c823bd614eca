"""Kept photos: whole or not there, never on the last of the disk, and never gone where somebody needs them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from drawn_rows import content, drawn_row

from andon.errors import ImageError
from andon.store import KeptPhoto, NewInspection, NotKept, PhotoStore, Store

NOW = datetime.now(UTC)


def kept(photos: PhotoStore, data: bytes) -> KeptPhoto:
    photo = photos.keep(data)
    assert isinstance(photo, KeptPhoto)
    return photo


def test_a_photo_comes_back_as_it_was_and_lies_where_its_hash_says(tmp_path: Path) -> None:
    photos = PhotoStore(tmp_path)
    photo = kept(photos, b"photo")
    assert (photos.read(photo.sha256), photo.size) == (b"photo", 5)
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    digest = photo.sha256
    assert path == tmp_path / "photos" / digest[:2] / digest[2:4] / digest == photos.path(digest)


@pytest.mark.parametrize("name", ["a" * 64, "", "../../etc/passwd", "A" * 64, "a" * 64 + "\n"])
def test_what_is_not_kept_is_none_and_no_path_is_made_of_it(name: str, tmp_path: Path) -> None:
    assert PhotoStore(tmp_path).read(name) is None
    if name != "a" * 64:
        with pytest.raises(ValueError, match="no SHA-256"):
            PhotoStore(tmp_path).path(name)


def test_a_damaged_photo_is_told_and_kept_anew(tmp_path: Path) -> None:
    photos = PhotoStore(tmp_path)
    photo = kept(photos, b"photo")
    photos.path(photo.sha256).write_bytes(b"phot")
    with pytest.raises(ImageError, match="is damaged"):
        photos.read(photo.sha256)
    kept(photos, b"photo")
    assert photos.read(photo.sha256) == b"photo"


def test_the_same_photo_may_come_several_times_at_once(tmp_path: Path) -> None:
    photos = PhotoStore(tmp_path)
    data = b"photo" * 100_000
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(photos.keep, [data] * 16))
    assert len(set(found)) == 1 and isinstance(found[0], KeptPhoto)
    assert photos.read(found[0].sha256) == data


def test_the_last_twentieth_of_the_disk_is_not_filled(tmp_path: Path) -> None:
    def usage(_: Path) -> tuple[int, int, int]:
        return 1000, 900, 60

    photos = PhotoStore(tmp_path, usage=usage)
    kept(photos, b"x" * 10)
    refused = photos.keep(b"y" * 11)
    assert isinstance(refused, NotKept) and "less than 5% free" in refused.reason
    assert photos.full(10) is None and photos.full(11) == refused.reason
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_photo_that_is_there_is_kept_on_a_full_disk(tmp_path: Path) -> None:
    kept(PhotoStore(tmp_path), b"photo")
    kept(PhotoStore(tmp_path, usage=lambda _: (100, 100, 0)), b"photo")


def test_a_folder_that_cannot_be_written_is_a_reason_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("a file")
    refused = PhotoStore(tmp_path).keep(b"photo")
    assert isinstance(refused, NotKept) and "cannot be kept in" in refused.reason


@pytest.fixture
def photos(tmp_path: Path) -> PhotoStore:
    return PhotoStore(tmp_path)


@pytest.fixture
def five(store: Store, photos: PhotoStore) -> Store:
    """Five inspections with photos of 7 bytes, i1 the oldest. i0 was reviewed, i1 is golden."""
    for number in range(5):
        row = drawn_row(photo=number, inspection_id=f"i{number}")
        store.inspections.add(NewInspection(row=row, photo=kept(photos, content(number))))
    store.reviews.add("i0", "OK", by="ann")
    store.golden.add(["i1"], "NG")
    return store


def left(store: Store, photos: PhotoStore) -> list[str]:
    """The inspections whose photos are there; the database and the disk must agree."""
    found = {
        one.inspection_id: (one.photo_kept, photos.read(one.photo_sha256) is not None)
        for one in store.inspections.each()
    }
    assert all(known == there for known, there in found.values())
    return [name for name, (known, _) in found.items() if known]


def test_old_photos_go_but_those_that_are_needed(five: Store, photos: PhotoStore) -> None:
    age = timedelta(days=30)
    assert five.kept.sweep(photos, max_age=age, now=NOW + timedelta(days=29)).photos == 0
    removed = five.kept.sweep(photos, max_age=age, now=NOW + timedelta(days=31))
    assert (removed.photos, removed.bytes, left(five, photos)) == (3, 21, ["i0", "i1"])
    assert len(list(five.inspections.each())) == 5


def test_the_oldest_go_until_the_rest_is_small_enough(five: Store, photos: PhotoStore) -> None:
    later = NOW + timedelta(days=1)
    assert five.kept.sweep(photos, max_bytes=35, now=later).photos == 0
    assert five.kept.sweep(photos, max_bytes=22, now=later).photos == 2
    assert left(five, photos) == ["i0", "i1", "i4"] and five.kept.amount().bytes == 21
    assert five.kept.sweep(photos, max_bytes=0, now=later).photos == 1
    assert left(five, photos) == ["i0", "i1"]


def test_what_is_reviewed_once_more_as_nothing_may_go(five: Store, photos: PhotoStore) -> None:
    five.reviews.undo("i0", by="ann")
    five.golden.remove("i1")
    assert five.kept.sweep(photos, max_bytes=0, now=NOW + timedelta(days=1)).photos == 5


def test_a_photo_of_two_inspections_stays_for_the_one_that_was_reviewed(store: Store, photos: PhotoStore) -> None:
    for name in ("a", "b"):
        row = drawn_row(photo=1, inspection_id=name)
        store.inspections.add(NewInspection(row=row, photo=kept(photos, content(1))))
    store.reviews.add("a", "OK", by="ann")
    assert store.kept.sweep(photos, max_bytes=0, now=NOW + timedelta(days=1)).photos == 0
    assert store.kept.amount().photos == 1


def test_a_photo_of_the_last_hour_stays(five: Store, photos: PhotoStore) -> None:
    assert five.kept.sweep(photos, max_bytes=0, max_age=timedelta(0), now=NOW + timedelta(minutes=50)).photos == 0


def test_a_photo_that_just_came_again_stays(five: Store, photos: PhotoStore) -> None:
    """Its new inspection is not written yet, so that the database knows only the old one."""
    later = NOW + timedelta(days=1)
    os.utime(photos.path(five.inspections.get("i3").photo_sha256), times=(later.timestamp(),) * 2)
    assert five.kept.sweep(photos, max_bytes=0, now=later).photos == 2
    assert left(five, photos) == ["i0", "i1", "i3"]


def test_an_entry_whose_file_is_gone_goes(five: Store, photos: PhotoStore) -> None:
    """As after a kill between the two."""
    photos.path(five.inspections.get("i3").photo_sha256).unlink()
    assert five.kept.sweep(photos, max_age=timedelta(days=1), now=NOW + timedelta(days=2)).photos == 3
    assert left(five, photos) == ["i0", "i1"]
