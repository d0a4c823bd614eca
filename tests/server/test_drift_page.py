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


def write_days(store: Store) -> None:
    """Sixty days of accepted parts, whose scores rise from the thirtieth on."""
    rng = np.random.default_rng(0)
    store.models.add(sha(1), name="part", path="part.1", by="test")
    for day in range(N_DAYS):
        at = datetime.now(UTC) - timedelta(days=N_DAYS - day)
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
                    measures={"brightness": 0.4, "sharpness": 12.0},
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
        expect(drifted.locator("tbody tr")).to_have_count(30)
        expect(drifted.locator("tbody tr").first).to_contain_text("12")
        today = page.locator(".series", has_text="No station")
        expect(today.locator("td").nth(9)).to_have_text("1 of 1")  # overridden
        expect(today).to_contain_text("Too few days for an alarm.")
        assert fits_a_phone(page)
