"""The button Improve on the page Models, seen in a browser, with a model that was trained."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Person, fits_a_phone
from playwright.sync_api import Locator, Page, expect
from serving import Served, served
from stations import Station, inspecting, png, reviewed_data, rusty, stamped

from andon.line.pipeline import Pipeline
from andon.server import background, improver
from andon.store import Store

__all__ = ["inspecting", "reviewed_data"]
BUTTON = "Improve it with what people said"


@pytest.fixture(autouse=True)
def gives_way_to_no_other_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "give_way", lambda: None)


@pytest.fixture
def serving(reviewed_data: Path, model: Path, tmp_path: Path) -> Iterator[Served]:
    """A server with `reviewed_data`."""
    data = shutil.copytree(reviewed_data, tmp_path / "data")
    with served(data, [model]) as running:
        yield running


def done(page: Page) -> Locator:
    """What came of it; a machine that does much else takes its time."""
    outcome = page.locator(".outcome")
    outcome.wait_for(timeout=60_000)
    return outcome


def improve(running: Served, person: Person) -> Page:
    """The page, after the button was pressed."""
    page = person.open(f"{running.url}/models")
    page.get_by_role("button", name=BUTTON).click()
    return page


def test_a_better_version_is_offered_and_activated(
    serving: Served, person: Person, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model.read_bytes()
    was_seen = threading.Event()
    improved = improver.improved

    def once_it_was_seen(*given: Any) -> improver.Improved:
        assert was_seen.wait(60)
        return improved(*given)

    monkeypatch.setattr(improver, "improved", once_it_was_seen)
    page = improve(serving, person)
    expect(page.get_by_role("status")).to_contain_text("Improving plates, for local")
    expect(page.get_by_role("button", name=BUTTON)).to_be_disabled()
    was_seen.set()
    outcome = done(page)
    expect(outcome).to_contain_text("Offered The promise holds, and every golden NG photo that was caught is still")
    new, old = serving.station.store.models.versions("plates")
    assert (new.parent_sha256, new.added_by) == (old.sha256, "local")
    assert Path(new.path) == serving.station.data / "models" / "plates-2.safetensors"
    assert model.read_bytes() == before
    assert serving.inspect(png(stamped(460))).json()["verdict"] != "OK"  # it judges nobody's parts yet
    newer = page.locator(".version", has_text=new.sha256[:8]).first
    expect(newer.locator("tr", has_text="NG photos caught")).to_have_text("NG photos caught44")
    newer.get_by_role("button", name="Let this version judge").click()
    expect(newer).to_contain_text("judges now")
    assert serving.inspect(png(stamped(460))).json()["verdict"] == "OK"
    assert fits_a_phone(page)


def test_what_was_offered_already_is_not_made_again(serving: Served, person: Person) -> None:
    page = improve(serving, person)
    expect(done(page)).to_contain_text("Offered")
    page.get_by_role("button", name=BUTTON).click()
    expect(page.locator(".outcome")).to_contain_text("Nothing was reviewed since version", timeout=60_000)
    new, _ = serving.station.store.models.versions("plates")
    expect(page.locator(".outcome")).to_contain_text(new.sha256[:8])
    assert [path.name for path in (serving.station.data / "models").iterdir()] == ["plates-2.safetensors"]


def test_what_stands_against_it_is_shown(
    reviewed_data: Path, inspecting: Pipeline, model: Path, tmp_path: Path, person: Person
) -> None:
    data = shutil.copytree(reviewed_data, tmp_path / "data")
    with Store.open(None, data) as store:
        Station(store, data, inspecting).inspect_all((rusty(seed) for seed in range(510, 516)), "OK")  # wrongly
    with served(data, [model]) as running:
        page = improve(running, person)
        outcome = done(page)
        expect(outcome).to_contain_text("caught before. Nothing is written.")
        assert len(running.station.store.models.versions()) == 1 and not (data / "models").exists()
        expect(outcome.locator("tr", has_text="NG photos missed")).to_have_text("NG photos missed04")
        against = outcome.locator(".photos li")
        expect(against.first).to_contain_text("NG, people say; NG (")
        assert fits_a_phone(page)
        against.first.get_by_role("link").click()
        expect(page.locator(".said")).to_contain_text("NG, says ann")


def test_what_to_do_instead(model: Path, tmp_path: Path, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path, [model]) as running:
        outcome = done(improve(running, person))
        expect(outcome).to_contain_text("Nothing was made: ")
        expect(outcome).to_contain_text("holds no inspection by a model called plates")
        monkeypatch.setattr(improver, "find_spec", lambda name: None)
        page = person.open(f"{running.url}/models")
        expect(page.get_by_text("on a computer with torch (pip install")).to_be_visible()
        expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)
        answer = running.client.post("/models/improve", content="name=plates")
        assert answer.status_code == 409 and "on a computer with torch" in answer.text


def test_work_ends_with_the_station(reviewed_data: Path, model: Path, tmp_path: Path) -> None:
    data = shutil.copytree(reviewed_data, tmp_path / "data")
    with served(data, [model]) as running:
        assert running.client.post("/models/improve", content="name=plates").status_code == 303
    assert not (data / "models").exists()  # it ended before it was done
    assert not any(thread.name.startswith("andon-improve") for thread in threading.enumerate())
