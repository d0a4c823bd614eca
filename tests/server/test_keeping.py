"""Which photos a station keeps: none on the last of the disk, and none for longer than it was told."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from receivers import wait_until
from serving import NG_PHOTO, OK_PHOTO, PART, SETTINGS, Served, Versions, served

from andon.store import KeptPhoto, PhotoStore, photos

DAY = 86_400


def is_kept(running: Served, photo: bytes) -> bool:
    found = running.inspect(photo).json()["inspection_id"]
    return running.station.store.inspections.get(found).photo_kept


def test_on_a_nearly_full_disk_photos_are_judged_and_not_kept(plain: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(photos, "NEVER_FILLED", 2.0)  # more than any disk has
        assert not is_kept(plain, OK_PHOTO)
        assert list(plain.station.photos.folder.rglob("?" * 64)) == []
        for page in ("/", "/models", "/readyz"):
            assert "Photos are not kept, as the disk of" in plain.client.get(page).text
    assert is_kept(plain, NG_PHOTO)  # when there is room again
    assert plain.client.get("/readyz").json() == {"status": "ok", "remarks": []}
    assert "Photos are not kept" not in plain.client.get("/").text


@pytest.mark.parametrize(("keep_for", "left"), [(timedelta(days=30), False), (None, True)])
def test_what_is_too_old_goes_when_the_station_starts(
    keep_for: timedelta | None, left: bool, tmp_path: Path, versions: Versions
) -> None:
    kept = PhotoStore(tmp_path).keep(OK_PHOTO)
    assert isinstance(kept, KeptPhoto)
    path = PhotoStore(tmp_path).path(kept.sha256)
    os.utime(path, times=(time.time() - 31 * DAY,) * 2)
    with served(tmp_path, [PART], settings=replace(SETTINGS, keep_for=keep_for)) as running:
        if left:
            wait_until(lambda: running.station.store.kept.amount().photos == 1)
        else:
            wait_until(lambda: not path.exists())
    assert path.exists() is left
