"""What other processes do in the same database: their versions are taken up, what they gave up is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import Person
from numpy_scorer import orange_pipeline
from playwright.sync_api import expect
from receivers import wait_until
from serving import PART, SETTINGS, Served, Versions, served, sha

from andon.line.pipeline import Pipeline
from andon.server import desks, follower
from andon.store import NewDelivery, Store, StoredModel
from andon.store.outbox import receiver
from andon.types import ModelId

MES = "https://mes.plant:8443/hook/secret"


@pytest.fixture
def running(tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(follower, "EVERY", 0.02)
    monkeypatch.setattr(follower, "COUNT_EVERY", 0.02)
    monkeypatch.setattr(desks, "TRY_AGAIN_AFTER", 0.02)
    with served(tmp_path, [PART]) as running:
        yield running


def activated_elsewhere(running: Served, number: int) -> None:
    with Store.open(None, running.station.data) as other:
        other.models.add(sha(number), name="part", path=f"part.{number}", by="test")
        other.models.activate("part", sha(number), by="ann")


def judge(running: Served) -> str:
    return str(running.inspect().json()["model"]["sha256"])


def test_a_version_that_cannot_be_used_is_told_until_it_can(running: Served, versions: Versions) -> None:
    """And the one before judges until then: its file may be on its way."""
    activated_elsewhere(running, 2)
    wait_until(lambda: bool(running.station.remarks))
    page = running.client.get("/").text
    assert page.count("part still judges with version 00000000, as version") == 1
    assert "This version cannot be used." in page and "The model changed" not in page
    assert "This version" in running.client.get("/models").text
    assert running.client.get("/readyz").json() == {"status": "ok", "remarks": []}  # for everybody to read
    assert judge(running) == sha(1)
    versions[sha(2)] = orange_pipeline()
    wait_until(lambda: judge(running) == sha(2))
    wait_until(lambda: not running.station.remarks)
    assert "<b>The model changed</b>" in running.client.get("/").text


def test_going_back_elsewhere_ends_the_trouble(running: Served) -> None:
    activated_elsewhere(running, 2)
    wait_until(lambda: bool(running.station.remarks))
    with Store.open(None, running.station.data) as other:
        other.models.roll_back("part", by="ann")
    wait_until(lambda: not running.station.remarks)
    assert judge(running) == sha(1)


def test_a_version_that_breaks_while_it_is_loaded_stops_nothing(
    running: Served, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(version: object) -> Pipeline:
        raise RuntimeError("out of registers")

    with monkeypatch.context() as patch:
        patch.setattr(desks, "ready", broken)
        activated_elsewhere(running, 2)
        wait_until(lambda: "out of registers" in "".join(running.station.remarks))
    versions[sha(2)] = orange_pipeline()
    wait_until(lambda: judge(running) == sha(2))


def test_the_line_says_that_the_model_changed_when_it_is_loaded(
    running: Served, versions: Versions, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which takes longer than the news of its activation."""
    page = person.open(running.url)

    def slow(version: StoredModel) -> Pipeline:
        time.sleep(1.5)
        return replace(versions[version.sha256], model_id=ModelId(version.name, version.sha256))

    monkeypatch.setattr(desks, "ready", slow)
    versions[sha(2)] = orange_pipeline()
    activated_elsewhere(running, 2)
    expect(page.locator(".changed")).to_contain_text("part judges with version 00000000 (activate, by ann)")


def test_what_was_activated_while_it_started_is_taken_up(
    tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the loading of the models and the first look for news."""
    monkeypatch.setattr(follower, "EVERY", 0.02)
    versions[sha(2)] = orange_pipeline()
    open_desks = desks.Desks.open

    def then_another(self: desks.Desks, paths: list[Path]) -> None:
        open_desks(self, paths)
        self._store.models.add(sha(2), name="part", path="part.2", by="test")
        self._store.models.activate("part", sha(2), by="ann")

    monkeypatch.setattr(desks.Desks, "open", then_another)
    with served(tmp_path, [PART], settings=SETTINGS) as running:
        wait_until(lambda: judge(running) == sha(2))


def test_what_was_given_up_is_told(running: Served) -> None:
    outbox = running.station.store.outbox
    dead = [outbox.put(NewDelivery(kind="webhook", target=MES, payload="{}")) for _ in range(2)]
    outbox.put(NewDelivery(kind="mqtt", target="andon/press/inspection", payload="{}"))
    for delivery in dead:
        outbox.give_up(delivery, "HTTP 404")
    told = "2 deliveries to https://mes.plant:8443 were given up; andon deliveries shows them."
    wait_until(lambda: running.station.remarks == [told])
    assert told in running.client.get("/").text
    assert running.client.get("/readyz").json()["remarks"] == []
    assert "mes.plant" not in running.client.get("/login").text  # nor before anybody has logged in
    figures = running.client.get("/metrics").text
    assert 'andon_deliveries{receiver="https://mes.plant:8443",state="dead"} 2.0' in figures
    assert 'andon_deliveries{receiver="andon/press/inspection",state="pending"} 1.0' in figures
    assert "secret" not in figures
    assert "andon_keeps_photos 1.0" in figures
    outbox.forget_dead()
    wait_until(lambda: not running.station.remarks)


def test_a_receiver_is_told_without_what_may_be_secret() -> None:
    assert receiver("webhook", "https://me:word@mes.plant/T0/B1?key=x") == "https://mes.plant"
    assert receiver("mqtt", "andon/press/inspection") == "andon/press/inspection"
