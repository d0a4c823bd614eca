"""The page Drift, seen in a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from browsing import Person, fits_a_phone, orange, remembering_pipeline
from playwright.sync_api import expect
from serving import PART, Versions, served, sha

from andon.store import NewInspection, Store
from andon.types import Inspection, ModelId

N_DAYS, PARTS = 60, 30


def write_days(store: Store, since: timedelta = timedelta()) -> None:
    """Sixty days of accepted parts, whose scores rise from the thirtieth on, and the time since the last of them."""
    rng = np.random.default_rng(0)
    store.models.add(sha(1), name="part", path="part.1", by="test")
    for day in range(N_DAYS):
        at = datetime.now(UTC) - timedelta(days=N_DAYS - day) - since
        scores = rng.normal(0.02 if day < N_DAYS / 2 else 0.035, 0.003, PARTS)
        store.inspections.add_all(
            [
                NewInspection(
                    row=Inspection(
                        path="p.png",
                        sha256="",
                        score=float(score),
                        threshold=0.1,
                        verdict="OK",
                        p_value=0.5,
                        sigma=0.0,
                        confidence=0.0,
                        model=ModelId("part", sha(1)),
                        inspected_at=at,
                    ).to_row(),
                    station="cell 3",
                    measures={"brightness": 137.2, "sharpness": -1.0},  # a logarithm, as it is measured
                )
                for score in scores
            ]
        )


def test_a_planted_drift_is_told(tmp_path: Path, versions: Versions, person: Person) -> None:
    versions[sha(1)] = remembering_pipeline()
    with Store.open(None, tmp_path) as store:
        write_days(store)
    with served(tmp_path, [PART]) as running:
        running.station.store.reviews.add(running.inspect(orange(0.3)).json()["inspection_id"], "OK", by="Anna")
        page = person.open(f"{running.url}/drift")
        drifted = page.locator(".series", has_text="cell 3, part 00000000")
        expect(drifted.get_by_role("alert").first).to_contain_text("of the accepted parts' scores")
        days = drifted.locator("tbody tr")
        expect(days).to_have_count(30)
        expect(page.get_by_text("mean grey value) and sharpness (sharpest edges / contrast)")).to_be_visible()
        yesterday = (datetime.now().astimezone() - timedelta(days=1)).date()
        first = days.first.locator("td").all_inner_texts()
        assert [first[place] for place in (0, 1, 2, 8, 9)] == [str(yesterday), "30", "30", "137", "0.50"]
        expect(drifted.get_by_role("img", name="Scores of accepted parts").locator("g")).to_have_count(30)
        expect(drifted.get_by_role("img", name="Light (mean grey value)")).to_be_visible()
        today = page.locator(".series", has_text="No station")
        expect(today.locator("td").nth(10)).to_have_text("1 of 1")  # overridden
        expect(today).to_contain_text("Too few days for an alarm.")
        assert fits_a_phone(page)


def test_what_is_said_of_older_days_is_seen_at_once(tmp_path: Path, versions: Versions, person: Person) -> None:
    """Although the days themselves were summed up before."""
    with Store.open(None, tmp_path) as store:
        write_days(store)
    with served(tmp_path, [PART]) as running:
        page = person.open(f"{running.url}/drift")
        yesterday = page.locator("tbody tr").first.locator("td")
        expect(yesterday.nth(10)).to_have_text("")
        (newest,) = running.station.store.inspections.page(limit=1).inspections
        running.station.store.reviews.add(newest.inspection_id, "NG", by="Anna")
        page.reload()
        expect(yesterday.nth(10)).to_have_text("1 of 1")


def test_stations_that_have_rested_for_long_are_left_out_and_said(
    tmp_path: Path, versions: Versions, person: Person
) -> None:
    with Store.open(None, tmp_path) as store:
        write_days(store, since=timedelta(days=40))
    with served(tmp_path, [PART]) as running:
        page = person.open(f"{running.url}/drift")
        expect(page.locator("main")).to_contain_text(
            "Left out, as no photo came in the last 30 days: 1 more such table."
        )
        expect(page.locator(".series")).to_have_count(0)
