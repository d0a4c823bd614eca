"""Files of the station that are moved, removed or replaced under it: nothing is acknowledged that would be lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import Person, orange
from serving import PART, Served, served

from andon.store import Store

FILE = "andon.db"


def move(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))


def replace(file: Path) -> None:
    """As who restores a backup."""
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.replace(file)


def remove_its_log(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


@pytest.mark.parametrize("harm", [move, Path.unlink, replace, remove_its_log])
def test_a_database_that_is_not_where_it_was_is_told_at_once(
    plain: Served, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    one = plain.inspect().json()["inspection_id"]
    assert plain.client.get("/readyz").status_code == 200
    harm(tmp_path / FILE)
    review = plain.client.post(f"/v1/inspections/{one}/review", json={"verdict": "NG", "by": "ann"})
    answers = [plain.inspect(), plain.inspect(), review, plain.client.get(f"/v1/inspections/{one}")]
    answers.append(plain.client.get("/", headers={"Accept": "text/html"}))
    with plain.client.stream("GET", "/v1/events") as followed:
        answers.append(followed)
    assert [answer.status_code for answer in answers] == [503] * 6
    assert "moved, removed or replaced while it was in use" in answers[0].json()["error"]
    ready = plain.client.get("/readyz")
    assert ready.status_code == 503 and "put it back" in ready.json()["remarks"][0]
    assert plain.client.get("/healthz").status_code == 200


def test_it_goes_on_once_its_database_is_back(tmp_path: Path, versions: object) -> None:
    """And has all that was acknowledged, also of a database whose log was moved with it."""
    data, away = tmp_path / "data", tmp_path / "away"
    with served(data, [PART]) as running:
        told = [running.inspect().json()["inspection_id"]]
        data.rename(away)
        assert running.inspect().status_code == 503
        assert not data.exists()  # nothing is made anew in its place
        away.rename(data)
        told.append(running.inspect().json()["inspection_id"])
    with Store.open(None, data) as store:
        assert {one.inspection_id for one in store.inspections.each()} >= set(told)


def test_the_page_line_says_so(plain: Served, tmp_path: Path, person: Person) -> None:
    from playwright.sync_api import expect

    plain.inspect(orange(0))
    page = person.open(plain.url)
    expect(page.locator("#lamp")).to_have_text("OK")
    (tmp_path / FILE).rename(tmp_path / "away.db")
    expect(page.locator("#quiet")).to_contain_text("was moved, removed or replaced")
    (tmp_path / "away.db").rename(tmp_path / FILE)
    expect(page.locator("#quiet")).to_be_hidden()


def test_photos_are_not_kept_in_the_place_of_a_folder_that_has_gone(plain: Served, tmp_path: Path) -> None:
    """Such as a share that is away: its mount point is an empty folder of the station's own disk."""
    first = plain.inspect(orange(0)).json()["inspection_id"]
    photos = tmp_path / "photos"
    photos.rename(tmp_path / "away")
    second = plain.inspect(orange(0.3))
    assert second.status_code == 200 and not photos.exists()
    assert "was moved or removed while it was in use" in plain.client.get("/readyz").json()["remarks"][0]
    (tmp_path / "away").rename(photos)
    assert plain.inspect(orange(0.5)).status_code == 200
    assert plain.client.get("/readyz").json()["remarks"] == []
    assert plain.client.get(f"/v1/inspections/{first}/photo").status_code == 200
