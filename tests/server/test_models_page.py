"""The page Models, seen in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from browsing import Person, fits_a_phone, orange, remembering_pipeline
from playwright.sync_api import expect
from serving import PART, SECONDS, Gated, Served, Versions, served, sha

from andon.server.background import Task
from andon.server.pages import models
from andon.store import Store


@pytest.fixture
def two_versions(tmp_path: Path, versions: Versions) -> Iterator[Served]:
    """The first judges, the second differs in one digit at its end."""
    versions[sha(1)] = versions[sha(2)] = remembering_pipeline()
    with served(tmp_path, [PART]) as running:
        running.station.store.models.add(
            sha(2),
            name="part",
            path="part.2",
            by="Anna",
            parent_sha256=sha(1),
            origin="40 reviewed OK photos",
            promise="Rejects at most 1 % of good parts.",
            figures={"golden": {"ng_caught": 9, "ng": 10}},
        )
        yield running


def judging(running: Served) -> str:
    """The version that the next photo is judged by."""
    return str(running.inspect(orange(0)).json()["model"]["sha256"])


def test_activate_and_roll_back(two_versions: Served, person: Person) -> None:
    page = person.open(f"{two_versions.url}/models")
    newer = page.locator(".version", has_text="by Anna")
    for words in ("40 reviewed OK photos", "Rejects at most 1 % of good parts.", "ng caught: 9, ng: 10", "made from"):
        expect(newer).to_contain_text(words)
    newer.get_by_role("button", name="Let this version judge").click()
    expect(newer).to_contain_text("judges now")
    assert judging(two_versions) == sha(2)
    page.get_by_role("button", name="Roll back").click()
    expect(newer).not_to_contain_text("judges now")
    assert judging(two_versions) == sha(1)
    history = page.locator(".history li")
    expect(history).to_have_count(3)
    expect(history.first).to_contain_text("rolled back to version 00000000, by local")
    assert fits_a_phone(page)


def test_a_version_that_cannot_be_used_changes_nothing(
    two_versions: Served, person: Person, versions: Versions
) -> None:
    del versions[sha(2)]
    page = person.open(f"{two_versions.url}/models")
    page.get_by_role("button", name="Let this version judge").click()
    expect(page.get_by_role("alert")).to_have_text("This version cannot be used.")
    assert judging(two_versions) == sha(1)


def test_who_may_only_review_looks_on(tmp_path: Path, versions: Versions, person: Person) -> None:
    with Store.open(None, tmp_path) as store:
        secret = store.tokens.create("Clara", ["review"])
        store.models.add(sha(2), name="part", path="part.2", by="Anna")
    with served(tmp_path, [PART]) as running:
        page = person.open(f"{running.url}/models")
        page.get_by_label("Token").fill(secret)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator(".version")).to_have_count(2)
        expect(page.locator("main button")).to_have_count(0)
        page.get_by_role("link", name="Move its threshold").click()
        expect(page.locator("#sentence")).to_contain_text("good parts rejected")
        expect(page.locator("#save")).to_have_count(0)


@pytest.fixture
def stricter_and_milder(two_versions: Served, versions: Versions) -> Served:
    """Four photos; the second version lets two of them pass that the first one does not."""
    calibration = versions[sha(1)].calibration
    assert calibration is not None
    milder = replace(calibration, threshold=0.3, review_threshold=0.2)
    versions[sha(2)] = replace(versions[sha(1)], calibration=milder)
    for number, score in enumerate((0.01, 0.07, 0.15, 0.4)):
        two_versions.inspect(orange(score), part_id=f"P-{number}")
    two_versions.inspect(orange(0.15), part_id="P-2")  # the same photo again
    return two_versions


def test_compare_two_versions(stricter_and_milder: Served, person: Person) -> None:
    page = person.open(f"{stricter_and_milder.url}/models")
    page.get_by_role("button", name="Compare on the last 200 photos").click()
    outcome = page.locator(".outcome")
    expect(outcome).to_contain_text("2 of the last 4 photos get a different verdict from version 00000000 than from")
    moves = [text.split() for text in outcome.locator(".moves li").all_inner_texts()]
    assert sorted(moves) == [["1", "NG", "→", "OK"], ["1", "review", "→", "OK"]]
    photos = outcome.locator(".photos li")
    expect(photos).to_have_count(2)
    expect(photos.first).to_contain_text("P-2")  # from NG to OK is farther than from review to OK
    score = f"{stricter_and_milder.inspect(orange(0.15)).json()['score']:.4g}"
    expect(photos.first.locator(".says")).to_have_text([f"NG {score}, NG from 0.1", f"OK {score}, NG from 0.3"])
    assert judging(stricter_and_milder) == sha(1)
    assert fits_a_phone(page)
    photos.first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="P-2")).to_be_visible()


def test_comparing_waits_while_photos_are_judged(
    stricter_and_milder: Served, person: Person, versions: Versions
) -> None:
    desk = stricter_and_milder.station.desks.of("part")
    gated = Gated()
    desk.pipeline = replace(desk.pipeline, scorer=gated)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stricter_and_milder.inspect, orange(0.02))
        assert gated.asked.wait(SECONDS)
        desk.pipeline = replace(desk.pipeline, scorer=versions[sha(1)].scorer)
        page = person.open(f"{stricter_and_milder.url}/models")
        page.get_by_role("button", name="Compare on the last 200 photos").click()
        expect(page.get_by_role("status")).to_contain_text("0 of 4 photos")
        expect(page.get_by_role("button", name="Compare on the last")).to_be_disabled()
        asked = "**/models/work"
        for _ in range(2):  # the page goes on asking, and nothing has been compared meanwhile
            with page.expect_response(asked) as answer:
                pass
            assert "0 of 4 photos" in answer.value.text()
        gated.gate.set()
        assert waiting.result().status_code == 200
    expect(page.locator(".outcome")).to_contain_text("2 of the last 4 photos")


def test_what_is_done_while_the_page_is_made_is_not_lost(two_versions: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page either says that it runs, and asks again, or shows what came of it."""
    gate, about = Event(), models._about

    def about_then_done(*what: Any) -> Any:
        found = about(*what)
        gate.set()
        while background.running:
            pass
        return found

    app: Any = two_versions.server.config.app
    background = app.state.andon.background
    monkeypatch.setattr(models, "_about", about_then_done)
    background.start(Task("compare", "part", "Anna"), lambda task: gate.wait(SECONDS))
    assert "data-running" in two_versions.client.get("/models").text


def test_what_cannot_be_compared_is_said(two_versions: Served, person: Person) -> None:
    page = person.open(f"{two_versions.url}/models")
    page.get_by_role("button", name="Compare on the last 200 photos").click()
    expect(page.locator(".outcome")).to_contain_text("No photo that part has judged is kept")
    page.locator("[name=second]").select_option(sha(1))
    page.get_by_role("button", name="Compare on the last 200 photos").click()
    expect(page.get_by_role("alert")).to_have_text("Choose two versions of part.")
