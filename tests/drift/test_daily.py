"""Days of a station, from rows with known answers."""

from __future__ import annotations

from datetime import UTC, date, timedelta, timezone

import numpy as np
import pytest

from andon.drift import Inspected, daily
from andon.drift.daily import reason_without_numbers
from andon.line.appearance import appearance_of
from andon.line.guard import learn
from andon.rows import ModelOfRow, Row


def row(verdict="OK", *, at="2026-03-02T08:00:00.000Z", score=1.0, model="screw", reasons=()):
    return Row(
        inspection_id="",
        part_id=None,
        path="a.png",
        sha256="",
        model=ModelOfRow(name=model, sha256="ab"),
        andon_version="0",
        inspected_at=at,
        verdict=verdict,
        score=score,
        reasons=reasons,
    ).to_dict()


def test_accepted_scores_and_verdicts_are_counted_by_day_station_and_model():
    rows = [Inspected(row(score=float(score)), station="B") for score in range(101)]
    rows += [Inspected(row("NG", score=500.0), station="B"), Inspected(row("error", score=None), station="B")]
    rows += [Inspected(row("review")), Inspected(row(at="2026-03-01T08:00:00Z"), station="B")]
    rows += [Inspected(row(model="bolt"), station="B")]
    days = daily(iter(rows))
    assert [(day.day, day.station, day.model, day.model_sha256) for day in days] == [
        (date(2026, 3, 1), "B", "screw", "ab"),
        (date(2026, 3, 2), "", "screw", "ab"),
        (date(2026, 3, 2), "B", "bolt", "ab"),
        (date(2026, 3, 2), "B", "screw", "ab"),
    ]
    assert days[3].verdicts == {"OK": 101, "review": 0, "NG": 1, "invalid": 0, "error": 1}
    scores = days[3].ok_scores
    assert scores is not None and scores.n == 101
    assert scores.by_share == pytest.approx({0.05: 5, 0.25: 25, 0.5: 50, 0.75: 75, 0.9: 90, 0.95: 95})
    assert days[1].ok_scores is None


def test_a_day_begins_where_the_plant_is():
    rows = [Inspected(row(at="2026-03-02T23:30:00Z"))]
    assert daily(rows, zone=UTC)[0].day == date(2026, 3, 2)
    assert daily(rows, zone=timezone(timedelta(hours=1)))[0].day == date(2026, 3, 3)


def test_people_override_ok_and_ng_and_decide_the_rest():
    said = [("NG", "OK"), ("NG", "OK"), ("OK", "NG"), ("OK", "OK"), ("NG", None), ("review", "NG"), ("invalid", "OK")]
    (day,) = daily(Inspected(row(verdict), review) for verdict, review in said)
    assert day.reviews.counts == {
        ("NG", "OK"): 2,
        ("OK", "NG"): 1,
        ("OK", "OK"): 1,
        ("review", "NG"): 1,
        ("invalid", "OK"): 1,
    }
    assert (day.reviews.n, day.reviews.overridden, day.reviews.override_rate) == (4, 3, 0.75)


def test_nothing_reviewed_is_no_rate_of_0():
    (day,) = daily([Inspected(row()), Inspected(row("review"), "OK")])
    assert (day.reviews.n, day.reviews.override_rate) == (0, None)


def test_the_guards_reasons_are_counted_without_their_numbers():
    rng = np.random.default_rng(0)
    photos = [np.clip(rng.normal(120, 40, (40, 60, 3)), 0, 255).astype(np.uint8) for _ in range(8)]
    guard = learn([appearance_of(photo) for photo in photos])
    assert guard is not None
    dark = [(photo * share).astype(np.uint8) for photo, share in zip(photos, (0.1, 0.15, 0.2), strict=False)]
    said = [{oddity.name: oddity.sentence for oddity in guard.oddities(appearance_of(photo))} for photo in dark]
    rows = [row("invalid", reasons=(of["layout"], of["layout"])) for of in said]
    rows += [row("invalid", reasons=(said[0]["brightness"],)), row("NG", reasons=("The score is too high.",))]
    (day,) = daily(map(Inspected, rows))
    assert list(day.reasons.items()) == [
        ("The photo shows another scene than every OK photo", 3),
        ("The photo is darker", 1),
    ]


def test_another_reason_stays_as_it_is():
    assert reason_without_numbers("No part was found.") == "No part was found"


def test_what_was_measured_is_summed_up_by_name():
    measured = [{"brightness": 100.0, "sharpness": -0.5}, {"brightness": 120.0}, None]
    (day,) = daily(Inspected(row(), measured=each) for each in measured)
    assert list(day.measured) == ["brightness", "sharpness"]
    assert (day.measured["brightness"].n, day.measured["brightness"].by_share[0.5]) == (2, 110.0)
    assert day.measured["sharpness"].by_share[0.95] == -0.5


def test_unknown_words_are_refused():
    with pytest.raises(ValueError, match="'ok' is no review"):
        daily([Inspected(row(), "ok")])
    with pytest.raises(ValueError, match="'good' is no verdict"):
        daily([Inspected(row("good"))])
