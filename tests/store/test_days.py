"""Summaries of days: written anew, forgotten, and whether older inspections came meanwhile."""

from __future__ import annotations

from datetime import date, timedelta

from drawn_rows import NOON, drawn_row

from andon.store import DaySummary, NewInspection, Store

DAY = NOON.date()


def summary(day: date, station: str, n: int) -> DaySummary:
    return DaySummary(day=day, station=station, model_sha256="ab", summary={"n": n})


def test_a_day_is_written_anew_and_forgotten(store: Store) -> None:
    later = DAY + timedelta(days=1)
    assert store.days.last() is None
    store.days.put(DAY, [summary(DAY, "A", 1), summary(DAY, "B", 2)], up_to=7)
    store.days.put(later, [summary(later, "A", 3)], up_to=9)
    store.days.put(DAY, [summary(DAY, "A", 4)], up_to=8)
    assert store.days.since(DAY) == [summary(DAY, "A", 4), summary(later, "A", 3)]
    assert store.days.since(later) == [summary(later, "A", 3)]
    assert store.days.last() == (later, 9)
    store.days.forget(later)
    assert store.days.last() == (DAY, 8)


def test_times_of_inspections(store: Store) -> None:
    assert list(store.days.times_after(0)) == [] and store.days.next_time(NOON) is None
    for hours in (5, 3, 4):
        store.inspections.add(NewInspection(row=drawn_row(at=NOON + timedelta(hours=hours))))
    assert store.days.next_time(NOON) == NOON + timedelta(hours=3)
    assert store.days.next_time(NOON + timedelta(hours=3, minutes=1)) == NOON + timedelta(hours=4)
    last = store.inspections.last()
    assert list(store.days.times_after(last - 2)) == [NOON + timedelta(hours=3), NOON + timedelta(hours=4)]
    assert list(store.days.times_after(last)) == []
