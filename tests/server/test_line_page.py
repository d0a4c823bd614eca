"""The page Line, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from browsing import Person, fits_a_phone, orange, remembering_pipeline, waits_for
from clocks import time_zone
from playwright.sync_api import Page, Route, expect
from serving import PART, Served, Versions, served, sha

from andon.server.pages import line

GREEN, AMBER, RED, GREY = "rgb(0, 125, 96)", "rgb(232, 163, 23)", "rgb(196, 62, 28)", "rgb(98, 110, 122)"
BOX_MARGIN = 8
LOST_AFTER = 5
"""Seconds after which the page says that the connection is lost."""
COUNT_TONES = """
  window.tones = 0;
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this); };
"""

GOES_RIGHT = """(element) => {
  const left = (at) => {
    const letter = document.createRange();
    letter.setStart(element.firstChild, at);
    letter.setEnd(element.firstChild, at + 1);
    return letter.getBoundingClientRect().left;
  };
  return left(0) < left(7);
}"""
IMPATIENT = "const timeout = AbortSignal.timeout; AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / 15);"


@pytest.fixture
def running(tmp_path: Path, versions: Versions) -> Iterator[Served]:
    versions[sha(1)] = remembering_pipeline()
    with served(tmp_path, [PART]) as running:
        yield running


@pytest.fixture
def in_berlin() -> Iterator[None]:
    """The server's time zone."""
    with time_zone("Europe/Berlin"):
        yield


class Answers:
    """Stands between the page and the station, where the page asks what is new.

    Attributes:
        instead: what to do with the next requests, instead of letting them through.
    """

    def __init__(self, person: Person) -> None:
        self.instead: list[Callable[[Route], None]] = []
        self._asked = 0
        person.context.route("**/line/now", self._answer)

    def wait_for_one(self, page: Page) -> None:
        """A page asks as soon as the connection is there."""
        while not self._asked:
            page.wait_for_timeout(50)

    def _answer(self, route: Route) -> None:
        self._asked += 1
        answer = self.instead.pop() if self.instead else Route.continue_
        answer(route)


def lamp_shows(page: Page, verdict: str, colour: str) -> None:
    expect(page.locator("#lamp")).to_have_text(verdict)
    expect(page.locator("#lamp")).to_have_css("background-color", colour)


def test_the_lamp_follows_the_photos(running: Served, person: Person) -> None:
    page = person.open(running.url)
    expect(page.locator("#lamp")).to_have_text("no photo yet")
    running.inspect(orange(0), part_id="A-1")
    lamp_shows(page, "OK", GREEN)
    running.inspect(orange(0.07), part_id="A-2")
    lamp_shows(page, "review", AMBER)
    running.inspect(orange(0.3), part_id="A-3")
    lamp_shows(page, "NG", RED)
    running.inspect(b"\x89PNG\r\n\x1a\n broken", part_id="A-4")
    expect(page.locator("#part")).to_contain_text("A-3")  # what is no photo is not an inspection
    assert page.locator("#lamp").evaluate("lamp => lamp.offsetHeight") > 200  # readable from three metres
    expect(page.locator("#strip a")).to_have_text(["·", "?", "NG"])
    for words in ("OK 1", "review 1", "NG 1 33.3 %"):
        expect(page.locator("#counts")).to_contain_text(words, use_inner_text=True)


def test_it_says_where_and_why(running: Served, person: Person) -> None:
    running.inspect(orange(0.3), part_id="A-3")
    page = person.open(running.url)
    expect(page.locator("#why")).to_contain_text("is not below the threshold 0.1")
    box = page.locator(".photo rect.box").first
    assert abs(float(box.get_attribute("x") or 0) - 96) < BOX_MARGIN
    assert abs(float(box.get_attribute("y") or 0) - 48) < BOX_MARGIN
    expect(page.locator(".nearest img")).to_have_js_property("naturalWidth", 364)
    heat = page.locator(".heat")
    page.locator("#heat").fill("20")
    expect(heat).to_have_css("opacity", "0.2")
    page.reload()
    expect(page.locator(".heat")).to_have_css("opacity", "0.2")  # the browser remembers


def test_the_heat_map_of_an_ok_photo_is_made_only_when_wanted(running: Served, person: Person) -> None:
    running.inspect(orange(0))
    page = person.open(running.url)
    heat = page.locator(".heat")
    assert heat.get_attribute("href") is None
    page.locator("#heat").fill("80")
    expect(heat).to_have_attribute("href", heat.get_attribute("data-href") or "")


def test_sound_on_ng_if_wanted(running: Served, person: Person) -> None:
    person.context.add_init_script(COUNT_TONES)
    page = person.open(running.url)
    running.inspect(orange(0.3), part_id="silent")
    expect(page.locator("#part")).to_contain_text("silent")
    assert page.evaluate("tones") == 0
    page.locator("#sound").check()  # and lets it be heard once
    assert page.evaluate("tones") == 1
    running.inspect(orange(0), part_id="good")
    expect(page.locator("#part")).to_contain_text("good")
    running.inspect(orange(0.3), part_id="bad")
    expect(page.locator("#part")).to_contain_text("bad")
    waits_for(page, "tones === 2")
    with page.expect_response("**/line/now"):  # the page is drawn again, and the same part is not heard twice
        running.station.store.events.add("model", sha(1))
    running.inspect(orange(0), part_id="last")
    expect(page.locator("#part")).to_contain_text("last")
    assert page.evaluate("tones") == 2


def test_an_old_green_lamp_is_not_taken_for_a_new_one(
    running: Served, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "QUIET_AFTER", 1.5)
    running.inspect(orange(0), part_id="first")
    page = person.open(running.url)
    expect(page.locator("#quiet")).to_contain_text("No photo for")
    expect(page.locator("#lamp")).not_to_have_css("background-color", GREEN)
    monkeypatch.setattr(line, "QUIET_AFTER", 60.0)
    running.inspect(orange(0), part_id="second")
    expect(page.locator("#quiet")).to_be_hidden()
    lamp_shows(page, "OK", GREEN)


def test_it_says_that_the_station_cannot_be_reached(running: Served, person: Person) -> None:
    running.inspect(orange(0))
    person.context.clock.install()
    page = person.open(running.url)
    lamp_shows(page, "OK", GREEN)
    running.server.end()
    while page.locator("#quiet").is_hidden():
        page.clock.run_for(2000)
    expect(page.locator("#quiet")).to_have_text("No connection to the station")
    expect(page.locator("#lamp")).not_to_have_css("background-color", GREEN)


def test_it_comes_back_where_a_proxy_answered_with_an_error(running: Served, person: Person) -> None:
    """A browser does not do that by itself."""
    asked = []

    def of_a_proxy(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(status=502, body="Bad gateway")
        else:
            route.continue_()

    person.context.route("**/v1/events", of_a_proxy)
    running.inspect(orange(0), part_id="first")
    page = person.open(running.url)
    while len(asked) < 2:
        page.wait_for_timeout(100)
    running.inspect(orange(0.3), part_id="second")
    expect(page.locator("#lamp")).to_have_text("NG", timeout=20_000)  # sooner than by asking every 30 s


def test_one_answer_that_fails_is_not_a_lost_connection(running: Served, person: Person) -> None:
    person.context.clock.install()
    answers = Answers(person)
    running.inspect(orange(0), part_id="first")
    page = person.open(running.url)
    answers.wait_for_one(page)
    answers.instead.append(lambda route: route.fulfill(status=503, body="{}"))
    running.inspect(orange(0), part_id="second")
    expect(page.locator("#part")).to_contain_text("second")  # it asks again, sooner than it does every 30 s
    assert not answers.instead
    page.clock.run_for(1000 * LOST_AFTER + 1000)
    expect(page.locator("#quiet")).to_be_hidden()


def test_an_answer_that_never_comes_is_not_waited_for(running: Served, person: Person) -> None:
    person.context.add_init_script(IMPATIENT)
    answers = Answers(person)
    running.inspect(orange(0), part_id="first")
    page = person.open(running.url)
    answers.wait_for_one(page)
    answers.instead.append(lambda route: None)
    running.inspect(orange(0), part_id="second")
    expect(page.locator("#part")).to_contain_text("second")
    assert not answers.instead


def test_it_says_that_the_model_changed(running: Served, person: Person, versions: Versions) -> None:
    versions[sha(2)] = remembering_pipeline()
    running.station.store.models.add(sha(2), name="part", path="part.2", by="test")
    running.inspect(orange(0))
    page = person.open(running.url)
    expect(page.locator("#lamp")).to_have_text("OK")
    expect(page.locator(".changed")).to_have_count(0)  # the first version is no change
    running.client.post("/v1/models/part/activate", json={"sha256": sha(2)})
    expect(page.locator(".changed")).to_contain_text("part judges with version 00000000 (activate, by local)")


def test_each_station_has_a_line_of_its_own(running: Served, person: Person) -> None:
    running.inspect(orange(0), part_id="east part", station="east")
    running.inspect(orange(0.3), part_id="west part", station="west")
    page = person.open(running.url)
    expect(page.locator("#part")).to_contain_text("west part")
    page.get_by_label("Station").select_option("east")
    expect(page.locator("#part")).to_contain_text("east part")
    running.inspect(orange(0.3), part_id="west again", station="west")
    running.inspect(orange(0.07), part_id="east again", station="east")
    expect(page.locator("#part")).to_contain_text("east again")
    expect(page.locator("#strip a")).to_have_count(2)


def test_what_others_write_breaks_no_page(running: Served, person: Person) -> None:
    """Neither by its length nor by the direction of its letters, which would turn the time beside it round."""
    name = "\u202eX-17"
    one = running.inspect(orange(0.3), part_id=name, station="\u202ecell").json()["inspection_id"]
    review = {"verdict": "NG", "note": "W" * 400, "by": "S" * 100}
    assert running.client.post(f"/v1/inspections/{one}/review", json=review).status_code == 200
    page = person.open(running.url)
    waits_for(page, f"({GOES_RIGHT})(document.querySelector('#part .muted'))")  # also once it is drawn again
    page.goto(f"{running.url}/inspections/{one}")
    assert fits_a_phone(page)
    running.inspect(orange(0), part_id="W" * 200)
    page.goto(running.url)
    expect(page.locator("#part bdi")).to_have_attribute("title", "W" * 200)
    assert fits_a_phone(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.locator(".score")).to_be_in_viewport()


def test_a_photo_of_the_strip_can_be_looked_at(running: Served, person: Person) -> None:
    running.inspect(orange(0.3), part_id="A-1")
    running.inspect(orange(0), part_id="A-2")
    page = person.open(running.url)
    assert fits_a_phone(page)
    page.locator("#strip a").first.click()
    expect(page.locator("h1")).to_have_text("A-1")
    expect(page.locator(".said")).to_have_text("Nobody has reviewed it.")
    assert fits_a_phone(page)


@pytest.mark.parametrize(
    ("now", "began", "ends"),
    [
        ("2026-03-02T05:59+01:00", "2026-03-01T22:00+01:00", "2026-03-02T06:00+01:00"),
        ("2026-03-02T06:00+01:00", "2026-03-02T06:00+01:00", "2026-03-02T14:00+01:00"),
        ("2026-03-02T23:10+01:00", "2026-03-02T22:00+01:00", "2026-03-03T06:00+01:00"),
        ("2026-10-25T02:30+02:00", "2026-10-24T22:00+02:00", "2026-10-25T06:00+01:00"),
        ("2026-10-25T02:30+01:00", "2026-10-24T22:00+02:00", "2026-10-25T06:00+01:00"),
        ("2026-03-29T01:59+01:00", "2026-03-28T22:00+01:00", "2026-03-29T06:00+02:00"),
        ("2026-03-29T03:01+02:00", "2026-03-28T22:00+01:00", "2026-03-29T06:00+02:00"),
    ],
)
def test_a_shift_begins_at_its_hour_by_the_clock_on_the_wall(in_berlin: None, now: str, began: str, ends: str) -> None:
    """A night in which the clock goes back or ahead is an hour longer or shorter."""
    found = line.shift_of(datetime.fromisoformat(now), (6, 14, 22))
    assert found == (datetime.fromisoformat(began), datetime.fromisoformat(ends))


def test_a_shift_begins_with_a_day_whose_first_hour_is_skipped() -> None:
    with time_zone("Africa/Cairo"):
        found = line.shift_of(datetime.fromisoformat("2026-04-23T23:10+02:00"), (0,))
    assert [one.isoformat() for one in found] == ["2026-04-23T00:00:00+02:00", "2026-04-24T01:00:00+03:00"]


def test_hours_that_no_day_has_are_passed_over(plain: Served) -> None:
    for hours in ("24", "6,99", "9" * 5000, "\u00b2", "noon"):
        assert plain.client.get("/line/now", params={"shift": hours}).status_code == 200, hours
