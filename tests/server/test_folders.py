"""andon serve --watch: photos of a folder go the way of every other, and once."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import plate_photos
import pytest
from receivers import wait_until
from serving import NG_PHOTO, OK_PHOTO, SETTINGS, Versions, png, served

from andon.errors import InputError, NotFoundError
from andon.server.folders import Folders, WatchedFolder, Watching
from andon.server.settings import Settings

QUICK = Watching(recursive=True, part_id_from=re.compile(r"\d+"), every=0.05, settle=0.05)


def folders(path: Path, model: str | None = None) -> Folders:
    return Folders([WatchedFolder(path=path, model=model)], "press", QUICK)


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


@pytest.mark.skipif(sys.platform != "linux", reason="only there a name may be any bytes")
def test_a_name_that_is_no_utf_8_spoils_no_list(tmp_path: Path, versions: Versions) -> None:
    """Nor one of two lines, and whether it is a photo or not."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, content in ((b"1\xff.png", OK_PHOTO), (b"2\n3.png", NG_PHOTO), (b"4\xff.png", b"no photo")):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(content)
    watched = Folders([WatchedFolder(path=folder)], "press", replace(QUICK, patience=0.2))
    with served(tmp_path / "data", [Path("part.1")], helpers=[watched]) as one:
        wait_until(lambda: sum(one.station.store.inspections.counts().values()) == 3)
        found = one.client.get("/v1/inspections").json()["inspections"]
        for page in ("/", "/review", *(f"/inspections/{item['row']['inspection_id']}" for item in found)):
            assert one.client.get(page).status_code == 200
    paths = {item["row"]["path"].rpartition("/")[2] for item in found}
    assert paths == {r"1\udcff.png", "2\n3.png", r"4\udcff.png"}


def test_a_photo_is_moved_and_what_is_not_wanted_stays(tmp_path: Path, versions: Versions) -> None:
    """Two folders, without those below; the same name in both is no harm."""
    done, first, second = tmp_path / "first" / "done", tmp_path / "first", tmp_path / "second"
    how = replace(QUICK, recursive=False, pattern="cam*", afterwards=f"move:{done}")
    for folder, photo in ((first, OK_PHOTO), (second, NG_PHOTO)):
        (folder / "below").mkdir(parents=True)
        for name in ("cam1.png", "other.png", "below/cam2.png"):
            (folder / name).write_bytes(photo)
    watched = Folders([WatchedFolder(path=first), WatchedFolder(path=second)], "press", how)
    with served(tmp_path / "data", [Path("part.1")], helpers=[watched]) as one:
        wait_until(lambda: len(list(done.glob("cam1*.png"))) == 2)
        assert one.station.store.inspections.counts() == {"OK": 1, "NG": 1}
    assert {path.read_bytes() for path in done.iterdir()} == {OK_PHOTO, NG_PHOTO}
    left = {path.relative_to(tmp_path).as_posix() for path in (*first.rglob("*.png"), *second.rglob("*.png"))}
    assert left == {
        *("first/done/cam1.png", "first/done/cam1.2.png", "first/other.png", "first/below/cam2.png"),
        *("second/other.png", "second/below/cam2.png"),
    }


def test_what_was_moved_below_a_watched_folder_is_not_inspected_again(tmp_path: Path, versions: Versions) -> None:
    done, first, second = tmp_path / "first" / "done", tmp_path / "first", tmp_path / "second"
    for folder, photo in ((first, OK_PHOTO), (second, NG_PHOTO)):
        folder.mkdir()
        (folder / "1.png").write_bytes(photo)
    how = replace(QUICK, afterwards=f"move:{done}")
    watched = Folders([WatchedFolder(path=first), WatchedFolder(path=second)], "press", how)
    with served(tmp_path / "data", [Path("part.1")], helpers=[watched]) as one:
        wait_until(lambda: len(list(done.glob("*.png"))) == 2)
        (first / "late.png").write_bytes(png(plate_photos.part(3)))
        wait_until((done / "late.png").exists)
        assert one.station.store.inspections.counts() == {"OK": 2, "NG": 1}


def test_a_photo_is_tagged_with_its_row(tmp_path: Path, versions: Versions) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "1.png").write_bytes(NG_PHOTO)
    tag = folder / "1.png.andon.json"
    watched = Folders([WatchedFolder(path=folder)], "press", replace(QUICK, afterwards="tag"))
    with served(tmp_path / "data", [Path("part.1")], helpers=[watched]) as one:
        wait_until(tag.exists)
        (found,) = one.client.get("/v1/inspections").json()["inspections"]
    assert json.loads(tag.read_text()) == found["row"]
    assert found["row"]["verdict"] == "NG"


@pytest.mark.parametrize(
    ("places", "how", "said"),
    [
        (("in", "in"), QUICK, "would be watched twice"),
        (("in", "in/below"), QUICK, "would be watched twice"),
        (("in", "other"), replace(QUICK, afterwards="move:other"), "lie there already"),
    ],
)
def test_folders_that_get_in_each_others_way_are_refused(
    places: tuple[str, ...], how: Watching, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        Folders([WatchedFolder(path=Path(place)) for place in places], "press", how)
    Folders([WatchedFolder(path=Path(place)) for place in ("in", "in/below")], "press", replace(QUICK, recursive=False))


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
