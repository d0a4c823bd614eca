"""The page Models, seen in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Person, fits_a_phone, orange, remembering_pipeline
from playwright.sync_api import expect
from serving import PART, Served, Versions, served, sha

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
        page.get_by_role("link", name="Models").click()
        expect(page.locator(".version")).to_have_count(2)
        expect(page.locator("main button")).to_have_count(0)
        page.get_by_role("link", name="Move its threshold").click()
        expect(page.locator("#sentence")).to_contain_text("good parts rejected")
        expect(page.locator("#save")).to_have_count(0)
