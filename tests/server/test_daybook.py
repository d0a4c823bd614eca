"""Days that are over are summed up once, and are what they would be if all were read again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from clocks import time_zone
from drawn_rows import drawn_row

from andon.drift.daily import Inspected, daily
from andon.server import daybook
from andon.server.daybook import days_to
from andon.store import NewInspection, Store

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
TODAY = NOON.date()
DARK = "The photo is darker, unlike OK photos (mean grey value: 20, allowed 100 to 180)."


@pytest.fixture(autouse=True)
def in_utc() -> Iterator[None]:
    """The server's clock, so that days begin where the tests think."""
    with time_zone("UTC"):
        yield


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(None, tmp_path) as opened:
        yield opened


def add(store: Store, days_ago: int, score: float = 0.5, station: str = "A", verdict: str = "OK") -> str:
    """An inspection at noon of that day; its id."""
    row = drawn_row() | {
        "inspected_at": (NOON - timedelta(days=days_ago)).isoformat(),
        "verdict": verdict,
        "score": score,
        "reasons": [DARK] if verdict == "invalid" else [],
    }
    measures = {"brightness": 100 + score, "sharpness": -score}
    store.inspections.add(NewInspection(row=row, station=station, measures=measures))
    return str(row["inspection_id"])


def seen(store: Store) -> list[date]:
    return [day.day for day in days_to(TODAY, store, reviews_since=TODAY - timedelta(days=29))]


def test_they_are_what_they_would_be_if_all_were_read_again(store: Store) -> None:
    for number in range(60):
        verdict = ("OK", "OK", "NG", "review", "invalid")[number % 5]
        one = add(store, number % 4, number / 60, station="AB"[number % 2], verdict=verdict)
        if number % 3 == 0:
            store.reviews.add(one, "NG", by="ann")
    all_of_it = [
        Inspected(
            one.row | {"model": {"name": "", "sha256": one.row["model"]["sha256"]}},
            one.reviewed_as,
            one.station,
            one.measures,
        )
        for one in store.inspections.each()
    ]
    for _ in range(2):  # summed up, and read from what was summed up
        assert days_to(TODAY, store, reviews_since=TODAY - timedelta(days=29)) == daily(all_of_it)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days whose inspections are read."""
    found: list[date] = []
    at_first = daybook._read

    def noted(store: Store, day: date, names: object) -> object:
        found.append(day)
        return at_first(store, day, {})

    monkeypatch.setattr(daybook, "_read", noted)
    return found


def test_a_day_that_is_over_is_read_once(store: Store, read: list[date]) -> None:
    for days_ago in (0, 1, 5):
        add(store, days_ago)
    seen(store)
    read.clear()
    assert len(seen(store)) == 3
    assert read == [TODAY]


def test_a_photo_of_long_ago_lets_no_other_day_be_read_again(store: Store, read: list[date]) -> None:
    """As a clock that was set back for a moment dates it."""
    for days_ago in (5, 3, 1):
        add(store, days_ago)
    seen(store)
    read.clear()
    add(store, 200)
    add(store, 3, station="B")
    add(store, 0)
    assert seen(store) == [TODAY - timedelta(days=ago) for ago in (200, 5, 3, 3, 1, 0)]
    assert read == [TODAY - timedelta(days=ago) for ago in (200, 3, 0)]
    seen(store)
    assert read[3:] == [TODAY]


def test_a_day_that_was_over_by_a_clock_that_was_ahead_is_summed_up_once_it_is(store: Store) -> None:
    add(store, 1)
    add(store, 0)
    add(store, -400)
    assert len(days_to(TODAY + timedelta(days=401), store, reviews_since=TODAY)) == 1
    for n in (2, 3):
        add(store, 0)
        assert sum(sum(day.verdicts.values()) for day in days_to(TODAY, store, reviews_since=TODAY)) == n + 1
    add(store, 0)  # and no photo of the next day
    tomorrow = days_to(TODAY + timedelta(days=1), store, reviews_since=TODAY)
    assert [sum(day.verdicts.values()) for day in tomorrow] == [1, 4]


def test_what_was_written_later_of_an_older_day_is_in_it(store: Store) -> None:
    for days_ago in (5, 3, 1):
        add(store, days_ago)
    assert len(seen(store)) == 3
    add(store, 3, station="B")
    add(store, 2)
    next(daybook.sum_up(store, TODAY))  # and the station ends, before it has done the other day
    assert seen(store) == [TODAY - timedelta(days=ago) for ago in (5, 3, 3, 2, 1)]


def test_days_before_the_last_250_are_left_out(store: Store) -> None:
    for days_ago in (251, 250):
        add(store, days_ago)
    assert seen(store) == [TODAY - timedelta(days=250)]


def test_a_day_that_begins_at_one_is_summed_up_once(store: Store) -> None:
    """In Egypt, as in Chile and Lebanon, daylight saving time begins at midnight: that hour is skipped."""
    for at in ("2026-04-23T23:30+02:00", "2026-04-24T01:30+03:00", "2026-04-25T12:00+03:00"):
        store.inspections.add(NewInspection(row=drawn_row() | {"inspected_at": at}, station="A"))
    with time_zone("Africa/Cairo"):
        days = [date(2026, 4, day) for day in (23, 24, 25)]
        assert list(islice(daybook.sum_up(store, date(2026, 4, 26)), 10)) == days
        found = days_to(date(2026, 4, 26), store, reviews_since=days[0])
    assert [(one.day, sum(one.verdicts.values())) for one in found] == [(day, 1) for day in days]
