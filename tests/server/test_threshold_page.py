"""The page Threshold, seen in a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from browsing import Person, fits_a_phone, orange, remembering_pipeline
from playwright.sync_api import Page, expect
from serving import PART, Served, Versions, served, sha

from andon.models.load import load
from andon.server.pages.histogram import Scale, bars


def lines(page: Page) -> tuple[float, float]:
    """Where the lines for NG and for review stand."""
    return float(page.locator("#ng").input_value()), float(page.locator("#band").input_value())


def test_the_consequence_of_a_line(tmp_path: Path, versions: Versions, person: Person) -> None:
    versions[sha(1)] = remembering_pipeline()  # OK scores 0.01 to 0.10, NG from 0.1, review from 0.05
    with served(tmp_path, [PART]) as running:
        for score in (0.2, 0.3):
            running.station.store.reviews.add(running.inspect(orange(score)).json()["inspection_id"], "NG", by="Anna")
        running.inspect(orange(0.07))
        page = person.open(f"{running.url}/threshold")
        sentence = page.locator("#sentence")
        expect(sentence).to_have_text("1 of 10 good parts rejected, 5 to review, 0 of 2 known defects missed.")
        expect(page.locator("#what")).to_contain_text("at most 39.4 % rejected")  # 1 of 10, Clopper and Pearson
        assert page.locator("td").all_inner_texts()[4:7] == ["0", "1", "0"]
        page.locator("#ng").focus()
        before, band = lines(page)
        page.keyboard.press("ArrowRight")
        step = lines(page)[0] - before
        assert 0 < step < 0.001
        expect(sentence).to_contain_text("0 of 10 good parts rejected, 6 to review")
        expect(page.locator("#what")).to_contain_text("Now: 1 rejected, 5 to review, 0 missed.")
        page.locator("#with_band").uncheck()
        expect(sentence).to_contain_text("0 of 10 good parts rejected, 0 to review")
        page.locator("#with_band").check()
        page.keyboard.press("Tab")
        drag(page, "#ng", 0.25)
        expect(page.locator("tbody tr").last).to_contain_text("110at most")  # one NG, one for review, none missed
        page.locator("#with_band").uncheck()
        expect(sentence).to_contain_text("1 of 2 known defects missed")
        page.locator("#with_band").check()
        drag(page, "#ng", 0.035)
        expect(sentence).to_contain_text("7 of 10 good parts rejected")
        assert lines(page)[1] < lines(page)[0] < band  # the other line made room
        assert fits_a_phone(page)


def drag(page: Page, slider: str, score: float) -> None:
    """Drag the line from where it is to a score."""
    box = page.locator("#chart").bounding_box()
    assert box is not None
    low, high = (float(page.locator("#chart").get_attribute(f"data-{end}") or 0) for end in ("low", "high"))
    places = [box["x"] + box["width"] * (one - low) / (high - low) for one in (lines(page)[0], score)]
    page.mouse.move(places[0] + 1, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(places[1], box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()


def test_saving_makes_a_new_version(model: Path, tmp_path: Path, person: Person) -> None:
    bar = load(model).calibration.threshold  # type: ignore[union-attr]
    with served(tmp_path / "data", [model]) as running:
        old = running.station.desks.of(None).pipeline.model_id.sha256
        running.inspect(orange(0.3))
        page = person.open(f"{running.url}/threshold")
        expect(page.locator("#save")).to_be_disabled()
        page.locator("#ng").focus()
        page.keyboard.press("PageDown")
        expect(page.locator("#save")).to_be_enabled()
        wanted = lines(page)[0]
        assert wanted < bar
        page.locator("#save").click()
        saved = page.locator(".version.saved")
        expect(saved).to_contain_text("Thresholds by hand; all else as in version")
        assert judged_by(running) == (old, bar)
        saved.get_by_role("button", name="Let this version judge").click()
        expect(page.locator(".version.judges")).to_contain_text("Thresholds by hand")
        sha256, threshold = judged_by(running)
        assert sha256 != old
        assert abs(threshold - wanted) < 1e-6
        page.get_by_role("link", name="Move its threshold").click()
        expect(page.locator("#chart")).to_contain_text("Live parts (3)")  # the scores are the same ones


def judged_by(running: Served) -> tuple[str, float]:
    """The version that judges the next photo, and its threshold."""
    row = running.inspect(orange(0)).json()
    return row["model"]["sha256"], row["threshold"]


def test_a_page_that_is_out_of_date_saves_nothing(tmp_path: Path, versions: Versions, person: Person) -> None:
    versions[sha(1)] = versions[sha(2)] = remembering_pipeline()
    with served(tmp_path, [PART]) as running:
        running.station.store.models.add(sha(2), name="part", path="part.2", by="test")
        page = person.open(f"{running.url}/threshold")
        page.locator("#ng").focus()
        page.keyboard.press("ArrowRight")
        running.client.post("/v1/models/part/activate", json={"sha256": sha(2)})
        page.locator("#save").click()
        expect(page.get_by_role("alert")).to_contain_text("Another version judges since this page was loaded")


def test_what_lies_beyond_the_chart_is_in_its_last_bar() -> None:
    scores = np.array([1.0, 1.1, 1.1, 50.0])
    scale = Scale.over(scores[:3], scores, scores[:0], 1.2)
    drawn = bars(scores, scale)
    assert scale.high < 2
    assert [bar.count for bar in drawn] == [1, 2, 1]
    assert drawn[-1].x + drawn[-1].width > 990
    assert drawn[1].height == 100
