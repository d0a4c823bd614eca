"""andon serve --watch: photos of a folder go the way of every other, and once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from receivers import wait_until
from serving import NG_PHOTO, OK_PHOTO, SETTINGS, Versions, served

from andon.errors import NotFoundError
from andon.server.folders import Folders, WatchedFolder
from andon.server.settings import Settings


def folders(path: Path, model: str | None = None) -> Folders:
    part_ids = re.compile(r"\d+")
    return Folders([WatchedFolder(path=path, model=model)], "press", part_id_from=part_ids, every=0.05, settle=0.05)


def test_what_comes_into_a_folder_is_inspected_once(tmp_path: Path, versions: Versions) -> None:
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    (folder / "1.png").write_bytes(OK_PHOTO)
    (folder / "below" / "2.png").write_bytes(NG_PHOTO)
    for _ in range(2):  # the second time it is started again
        with served(tmp_path / "data", [Path("part.1")], helpers=[folders(folder)]) as one:
            wait_until(lambda: sum(one.station.store.inspections.counts().values()) == 2)
            found = one.client.get("/v1/inspections").json()["inspections"]
    said = {item["row"]["part_id"]: (item["row"]["verdict"], item["station"]) for item in found}
    assert said == {"1": ("OK", "press"), "2": ("NG", "press")}


def test_a_photo_that_is_too_large_for_the_station_is_an_error_once(tmp_path: Path, versions: Versions) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "1.png").write_bytes(OK_PHOTO)
    small = Settings(grace=SETTINGS.grace, rate=SETTINGS.rate, burst=SETTINGS.burst, max_bytes=100)
    with served(tmp_path / "data", [Path("part.1")], helpers=[folders(folder)], settings=small) as one:
        wait_until(lambda: one.station.store.inspections.counts() == {"error": 1})
        (folder / "2.png").write_bytes(NG_PHOTO)
        wait_until(lambda: one.station.store.inspections.counts() == {"error": 2})


def test_a_model_that_is_not_served_is_told_at_the_start(tmp_path: Path, versions: Versions) -> None:
    with pytest.raises(NotFoundError), served(tmp_path, [Path("part.1")], helpers=[folders(tmp_path, "other")]):
        pass
