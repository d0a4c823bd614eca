"""Another Andon takes the server's place while pages are open in a browser: they are loaded again by themselves."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import Person, orange, remembering_pipeline
from playwright.sync_api import Page, expect
from serving import PART, Versions, served, sha

from andon.server import app
from andon.server.pages import made_of, rendering

MARK = "document.documentElement.id = 'old'"
OLD = "html#old"
"""Of a page that was not loaded again since it was marked."""


def let_pages_be(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (app, rendering):
        monkeypatch.setattr(module, "made_of", lambda: text)


def port_of(url: str) -> int:
    found = urlsplit(url).port
    assert found is not None
    return found


def opened(person: Person, url: str, path: str) -> Page:
    page = person.open(url + path)
    page.evaluate(MARK)
    return page


def test_open_pages_are_loaded_again_and_go_on(
    tmp_path: Path, versions: Versions, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions[sha(1)] = remembering_pipeline()
    with served(tmp_path, [PART]) as running:
        url = running.url
        running.inspect(orange(0.3), part_id="A-1")
        line, review = opened(person, url, "/"), opened(person, url, "/review")
        expect(review.locator("#one")).to_be_visible()
        review.locator("#note").fill("a scratch?")
        line.evaluate("sessionStorage.setItem('andon.reloaded', Date.now() + 3600e3)")  # the clock was set back since
    let_pages_be("others", monkeypatch)
    with served(tmp_path, [PART], port=port_of(url)) as running:
        for page in (line, review):
            expect(page.locator(OLD)).to_have_count(0)
        expect(review.locator("#note")).to_have_value("a scratch?")
        running.inspect(orange(0), part_id="A-2")
        expect(line.locator("#part")).to_contain_text("A-2")


def test_the_same_andon_is_no_reason(tmp_path: Path, versions: Versions, person: Person) -> None:
    with served(tmp_path, [PART]) as running:
        url = running.url
        page = opened(person, url, "/")
    expect(page.locator("#quiet")).to_have_text("No connection to the station")
    with served(tmp_path, [PART], port=port_of(url)) as running:
        running.inspect(orange(0), part_id="A-2")
        expect(page.locator("#part")).to_contain_text("A-2")
        expect(page.locator(OLD)).to_have_count(1)


def test_two_that_answer_in_turn_do_not_load_it_for_ever(
    tmp_path: Path, versions: Versions, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "made_of", lambda: "others")  # than all answers say
    with served(tmp_path, [PART]) as running:
        loaded: list[str] = []
        person.context.on("request", lambda one: loaded.append(one.url) if one.is_navigation_request() else None)
        page = person.open(running.url)
        for part in ("A-1", "A-2", "A-3"):
            running.inspect(orange(0), part_id=part)
            expect(page.locator("#part")).to_contain_text(part)
        assert len(loaded) == 2


def test_what_pages_are_made_of_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = made_of.made_of()
    for path in made_of.TEMPLATES.glob("*.html"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(made_of, "TEMPLATES", tmp_path)
    assert made_of.made_of.__wrapped__() == found
    (tmp_path / "line.html").write_text("other")
    assert made_of.made_of.__wrapped__() != found
