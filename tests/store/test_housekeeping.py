"""Keeping house: what a kill left behind goes in time, and nothing goes that somebody else may need."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from drawn_rows import content, drawn_row
from receivers import wait_until

from andon.errors import StoreError
from andon.store import KeptPhoto, NewInspection, PhotoStore, Store, kept, strays
from andon.store.housekeeping import Housekeeper

NOW = datetime.now(UTC)
MONTH = timedelta(days=30)


@pytest.fixture
def photos(tmp_path: Path) -> PhotoStore:
    return PhotoStore(tmp_path)


def keep(photos: PhotoStore, number: int, *, age: timedelta = timedelta(0)) -> KeptPhoto:
    """A file of that age without a row, as after a kill."""
    photo = photos.keep(content(number))
    assert isinstance(photo, KeptPhoto)
    os.utime(photos.path(photo.sha256), times=((NOW - age).timestamp(),) * 2)
    return photo


def inspected(store: Store, photo: KeptPhoto, number: int) -> str:
    row = drawn_row(photo=number, inspection_id=f"i{number}")
    return store.inspections.add(NewInspection(row=row, photo=photo)).inspection_id


def housekeeper(store: Store, photos: PhotoStore, keep_bytes: int | None = None) -> Housekeeper:
    return Housekeeper(store, photos, keep_for=MONTH, keep_bytes=keep_bytes)


def numbers(photos: PhotoStore) -> set[int]:
    """Of the photos that are there."""
    return {int(path.read_bytes().split()[1]) for path in photos.folder.rglob("?" * 64)}


def test_a_photo_that_lost_its_row_goes_when_it_is_old(store: Store, photos: PhotoStore) -> None:
    for number, age in enumerate((timedelta(minutes=5), timedelta(days=2), timedelta(days=31))):
        keep(photos, number, age=age)
    house = housekeeper(store, photos)
    house.make_round()
    assert numbers(photos) == {0, 1}
    assert store.kept.amount() == kept.Amount(1, 7)  # that of the last hour may be about to get its row
    assert store.kept.sweep(photos, max_age=timedelta(days=1)).photos == 1


def test_a_photo_with_a_row_is_no_stray(store: Store, photos: PhotoStore) -> None:
    """Though its file is old: its entry says since when it is kept."""
    inspected(store, keep(photos, 0, age=timedelta(days=90)), 0)
    assert list(strays.take_in(store, photos)) == [0]
    housekeeper(store, photos).make_round()
    assert numbers(photos) == {0}


def test_half_written_files_go_and_others_stay(store: Store, photos: PhotoStore) -> None:
    photo = keep(photos, 0)
    folder = photos.path(photo.sha256).parent
    for name in (".abcd.host.17.unfinished", "notes.txt"):
        (folder / name).write_text("x")
        os.utime(folder / name, times=((NOW - MONTH * 2).timestamp(),) * 2)
    (folder / ".abcd.host.18.unfinished").write_text("is being written")
    housekeeper(store, photos).make_round()
    assert {path.name for path in folder.iterdir()} == {photo.sha256, "notes.txt", ".abcd.host.18.unfinished"}


def test_what_another_database_may_need_stays(
    store: Store, photos: PhotoStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as one that is only tried, with the data folder of the real one."""
    inspected(store, keep(photos, 0, age=MONTH * 2), 0)
    store.reviews.add("i0", "NG", by="ann")
    housekeeper(store, photos).make_round()
    with Store.open(f"sqlite:///{tmp_path / 'trial.db'}", tmp_path) as trial:
        housekeeper(trial, photos).make_round()
    keep(photos, 1, age=MONTH * 2)
    housekeeper(store, photos).make_round()
    assert numbers(photos) == {0, 1}
    assert caplog.text.count("Several databases keep photos in") == 2


def test_a_folder_may_move_with_its_database(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for data in (old, new):
        if data is new:
            old.rename(new)
        else:
            data.mkdir()
        with Store.open(None, data) as store:
            keep(PhotoStore(data), 0, age=MONTH * 2)
            housekeeper(store, PhotoStore(data)).make_round()
        assert numbers(PhotoStore(data)) == set()


def test_many_needed_photos_hold_up_no_sweep(store: Store, photos: PhotoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one batch of the oldest may not go."""
    monkeypatch.setattr(kept, "BATCH", 2)
    monkeypatch.setattr(kept, "IN_A_QUESTION", 2)
    for number in range(9):
        keep(photos, number, age=timedelta(days=40 - number))
    assert sum(strays.take_in(store, photos)) == 9
    for number in (0, 1, 2, 3, 6):
        inspected(store, KeptPhoto(sha256=photos.path(keep(photos, number).sha256).name, size=7), number)
        store.reviews.add(f"i{number}", "OK", by="ann")
    assert store.kept.sweep(photos, max_bytes=7 * 7, now=NOW + timedelta(days=1)).photos == 2
    assert numbers(photos) == {0, 1, 2, 3, 6, 7, 8}  # 4 and 5 are the oldest that may go
    assert store.kept.sweep(photos, max_bytes=0, now=NOW + timedelta(days=1)).photos == 2


def test_more_than_may_be_kept_is_told_once(store: Store, photos: PhotoStore, caplog: pytest.LogCaptureFixture) -> None:
    inspected(store, keep(photos, 0), 0)
    house = housekeeper(store, photos, keep_bytes=3)
    for _ in range(2):
        house.make_round()
    assert caplog.text.count("more than --keep-gb") == 1
    assert numbers(photos) == {0}


def test_it_begins_at_once_and_survives_a_trouble(
    store: Store, photos: PhotoStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("andon.store.housekeeping.EVERY", 0.01)
    keep(photos, 0, age=MONTH * 2)
    note, calls = store.kept.note, []

    def away_at_first(found: Sequence[kept.Found]) -> int:
        calls.append(found)
        if len(calls) < 3:
            raise StoreError("The database is away.")
        return note(found)

    monkeypatch.setattr(store.kept, "note", away_at_first)
    house = housekeeper(store, photos)
    house.start()
    wait_until(lambda: not numbers(photos))
    house.stop()
    assert caplog.text.count("Old photos cannot be removed now") == 1


def test_old_events_are_forgotten(store: Store, photos: PhotoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.events.add("note", "old")
    housekeeper(store, photos).make_round()
    assert len(store.events.since(0)) == 1
    monkeypatch.setattr("andon.store.housekeeping.EVENTS_KEPT", timedelta(0))
    housekeeper(store, photos).make_round()
    assert store.events.since(0) == []
