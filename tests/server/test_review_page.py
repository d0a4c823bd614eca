"""The page Review, seen in a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Person, fits_a_phone, orange, remembering_pipeline
from playwright.sync_api import Page, expect
from serving import PART, Served, Versions, served, sha

from andon.store import Store

LOGIN_EXPIRED = """() => {
  const ask = window.fetch, redirected = { type: "opaqueredirect", ok: false, status: 0, text: async () => "" };
  window.fetch = async (path, options) => path === "/review/say" ? redirected : ask(path, options);
}"""
"""What a browser makes of the redirection to the login."""


@pytest.fixture
def running(tmp_path: Path, versions: Versions) -> Iterator[Served]:
    versions[sha(1)] = remembering_pipeline()
    with served(tmp_path, [PART]) as running:
        yield running


@pytest.fixture
def doubtful(running: Served) -> Served:
    """Three photos to look at; their part ids say in which order."""
    for part_id, score in (("third", 0.3), ("first", 0.07), ("second", 0.12)):
        running.inspect(orange(score), part_id=part_id)
    return running


def opened(person: Person, running: Served, name: str = "Anna") -> Page:
    """The page, with a name."""
    person.context.add_init_script(f"localStorage.setItem('andon.name', '{name}')")
    return person.open(f"{running.url}/review")


def shows(page: Page, part_id: str) -> None:
    expect(page.locator("#one h1")).to_have_text(part_id)


def is_gone(page: Page, inspection_id: str | None) -> None:
    """Another photo is shown, or none."""
    expect(page.locator(f"#one[data-id='{inspection_id}']")).to_have_count(0)


def said_of(running: Served, part_id: str) -> list[tuple[str, str]]:
    """Who said what, newest first."""
    found = running.client.get("/v1/inspections", params={"part_id": part_id}).json()["inspections"]
    whole = running.client.get(f"/v1/inspections/{found[0]['row']['inspection_id']}").json()
    return [(one["by"], one["verdict"]) for one in whole["reviews"] if one["undone_at"] is None]


def test_one_key_for_each_verdict_the_most_doubtful_first(doubtful: Served, person: Person) -> None:
    page = opened(person, doubtful)
    shows(page, "first")
    expect(page.locator("#waiting")).to_contain_text("3 to look at: 1 review, 2 NG.")
    expect(page.locator(".pair .picture")).to_have_count(2)
    expect(page.locator(".nearest img")).to_have_js_property("naturalWidth", 364)
    page.keyboard.press("o")
    shows(page, "second")
    expect(page.locator("#said")).to_have_text("first is OK.")
    page.keyboard.press("n")
    shows(page, "third")
    page.keyboard.press("N")
    expect(page.locator("#done")).to_be_visible()
    assert [said_of(doubtful, one) for one in ("first", "second", "third")] == [
        [("Anna", "OK")],
        [("Anna", "NG")],
        [("Anna", "NG")],
    ]
    doubtful.inspect(orange(0.2), part_id="new")
    shows(page, "new")


def test_skip_go_back_and_undo(doubtful: Served, person: Person) -> None:
    page = opened(person, doubtful)
    shows(page, "first")
    page.keyboard.press(" ")
    shows(page, "second")
    page.keyboard.press("n")
    shows(page, "third")
    page.keyboard.press("u")
    shows(page, "second")
    assert said_of(doubtful, "second") == []
    page.keyboard.press("o")
    shows(page, "third")
    page.keyboard.press("ArrowLeft")
    shows(page, "second")
    expect(page.locator(".remark")).to_contain_text("Anna said OK")
    page.keyboard.press("n")
    shows(page, "third")
    assert said_of(doubtful, "second") == [("Anna", "NG"), ("Anna", "OK")]
    assert said_of(doubtful, "first") == []


def test_what_was_typed_stays_with_its_photo_and_outlasts_a_login(doubtful: Served, person: Person) -> None:
    page = opened(person, doubtful)
    shows(page, "first")
    page.locator("#note").fill("no oil")
    page.locator("#note").blur()
    page.keyboard.press(" ")
    shows(page, "second")
    expect(page.locator("#note")).to_have_value("")
    page.keyboard.press("ArrowLeft")
    shows(page, "first")
    expect(page.locator("#note")).to_have_value("no oil")
    page.evaluate(LOGIN_EXPIRED)
    page.keyboard.press("n")
    expect(page).to_have_url(f"{doubtful.url}/login?then=%2Freview")
    page.goto(f"{doubtful.url}/review")
    shows(page, "first")
    expect(page.locator("#note")).to_have_value("no oil")
    page.keyboard.press("n")
    shows(page, "second")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".remark")).to_contain_text("no oil")
    expect(page.locator("#note")).to_have_value("")


def test_a_note_is_kept_and_its_letters_are_no_keys(doubtful: Served, person: Person) -> None:
    page = opened(person, doubtful)
    shows(page, "first")
    page.locator("#note").fill("")
    page.locator("#note").press_sequentially("no oil")
    shows(page, "first")
    page.keyboard.press("Enter")
    page.keyboard.press("o")
    shows(page, "second")
    expect(page.locator("#note")).to_have_value("")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".remark")).to_contain_text("no oil")


def test_two_people_never_get_the_same_photo(doubtful: Served, person: Person, somebody_else: Person) -> None:
    for number in range(6):
        doubtful.inspect(orange(0.35), part_id=f"more {number}")
    anna, ben = opened(person, doubtful), opened(somebody_else, doubtful, "Ben")
    anna.wait_for_selector("#one")
    ben.wait_for_selector("#one")
    seen = []
    while not (anna.locator("#done").count() and ben.locator("#done").count()):
        for page in (anna, ben):
            one = page.locator("#one")
            if one.count():
                seen.append(one.get_attribute("data-id"))
                page.keyboard.press("n")
                is_gone(page, seen[-1])
            else:
                page.reload()
                page.wait_for_selector("#one, #done")
    assert len(seen) == len(set(seen)) == 9


def test_what_a_closed_window_held_is_free_for_others(doubtful: Served, person: Person, somebody_else: Person) -> None:
    anna = opened(person, doubtful)
    shows(anna, "first")
    anna.close(run_before_unload=False)
    ben = opened(somebody_else, doubtful, "Ben")
    for _ in range(20):
        ben.wait_for_selector("#one, #done")
        if ben.locator("#one").count():
            break
        ben.reload()
    shows(ben, "first")


def test_thirty_a_minute(running: Served, person: Person) -> None:
    for number in range(15):
        running.inspect(orange(0.2 + number / 100), part_id=f"P{number}")
    page = opened(person, running)
    page.wait_for_selector("#one")
    started = time.monotonic()
    for _ in range(15):
        before = page.locator("#one").get_attribute("data-id")
        page.keyboard.press("n")
        is_gone(page, before)
    assert time.monotonic() - started < 15 * 60 / 30
    assert running.station.store.reviews.waiting() == {}


def test_by_touch_on_a_phone(doubtful: Served, person: Person) -> None:
    page = opened(person, doubtful)
    assert fits_a_phone(page)
    shows(page, "first")
    page.get_by_role("button", name="NG").click()
    shows(page, "second")
    page.get_by_role("button", name="Undo").click()
    shows(page, "first")


def test_a_verdict_needs_a_name(doubtful: Served, person: Person) -> None:
    page = opened(person, doubtful)
    shows(page, "first")
    page.locator("#name").fill("")
    page.locator("#name").press("Enter")
    page.keyboard.press("o")
    expect(page.locator("#trouble")).to_have_text("Give your name first, so that it stands beside what you say.")
    assert said_of(doubtful, "first") == []


def test_what_somebody_else_said_is_not_taken_back(doubtful: Served, person: Person) -> None:
    page = opened(person, doubtful)
    shows(page, "first")
    first = page.locator("#one").get_attribute("data-id")
    page.keyboard.press("o")
    shows(page, "second")
    doubtful.station.store.reviews.add(str(first), "NG", by="Ben")
    page.keyboard.press("u")
    expect(page.locator("#trouble")).to_have_text("Ben has reviewed this photo since; what they said stays.")
    assert said_of(doubtful, "first") == [("Ben", "NG"), ("Anna", "OK")]


def test_with_a_login(tmp_path: Path, versions: Versions, person: Person) -> None:
    versions[sha(1)] = remembering_pipeline()
    with Store.open(None, tmp_path) as store:
        secret = store.tokens.create("Clara", ["review", "inspect"])
    with served(tmp_path, [PART], headers={"Authorization": f"Bearer {secret}"}) as running:
        running.inspect(orange(0.3), part_id="A-1")
        page = person.open(f"{running.url}/review")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("That is no valid token.")
        page.get_by_label("Token").fill(secret)
        page.get_by_role("button", name="Log in").click()
        shows(page, "A-1")  # as this is what was wanted
        page.keyboard.press("n")
        expect(page.locator("#done")).to_be_visible()
        assert said_of(running, "A-1") == [("Clara", "NG")]
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Token")).to_be_visible()
