"""What each day looked like. A day that is over is summed up once, and the summary kept in the store.

A day is one of the server's clock. Days are read one at a time, so memory holds the inspections of one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from andon.drift.daily import Day, Inspected, Quantiles, Reviews, daily
from andon.server.clock import moment
from andon.store import DaySummary, Filter, Store

DAYS = 250
"""So many days back; as many as the promise of a drift alarm is about."""

Key = tuple[date, str, str]
"""Day, station and digest of the version."""


def days_to(today: date, store: Store, *, reviews_since: date) -> list[Day]:
    """Each of the last days up to today, in order; with reviews from `reviews_since` on, as people may still add some.

    Raises:
        StoreError: the database cannot be used.
    """
    for _ in sum_up(store, today):
        pass
    names = {version.sha256: version.name for version in store.models.versions()}
    days = [_day(one, names) for one in store.days.since(today - timedelta(days=DAYS)) if one.day < today]
    reviews = _reviews(store, reviews_since)
    days = [replace(day, reviews=reviews.get((day.day, day.station, day.model_sha256), Reviews({}))) for day in days]
    return [*days, *_read(store, today, names)]


def sum_up(store: Store, today: date) -> Iterator[date]:
    """Sum up what is missing of the last days before today, and give each once it is done.

    Raises:
        StoreError: the database cannot be used.
    """
    names = {version.sha256: version.name for version in store.models.versions()}
    for day, up_to in _missing(store, today):
        store.days.put(day, [_summary(one) for one in _read(store, day, names)], up_to=up_to)
        yield day


def _missing(store: Store, today: date) -> Iterator[tuple[date, int]]:
    """Days that are over and not summed up, or of which inspections were written since; with the number up to which
    all that was written is in the summaries as soon as this day's is there.

    Somebody may write old inspections, and a clock that was set dates some wrongly. Other days are not read for that.
    """
    known, newest = store.days.last(), store.inspections.last()
    if known is not None and known[0] >= today:  # summed up while the clock was ahead
        store.days.forget(today)
        known = store.days.last()
    day = today - timedelta(days=DAYS)
    if known is not None:
        last, up_to = known
        written = {_date(time) for time in store.days.times_after(up_to)}
        changed = sorted(one for one in written if day <= one <= last)
        for one in changed:  # should the process end before the last one, all are done again
            yield one, newest if one == changed[-1] else up_to
        day = max(day, last + timedelta(days=1))
    while (time := store.days.next_time(_begin(day))) is not None and (day := _date(time)) < today:
        yield day, newest
        day += timedelta(days=1)


def _read(store: Store, day: date, names: Mapping[str, str]) -> list[Day]:
    begin, end = _begin(day), _begin(day + timedelta(days=1))
    return daily(_inspected(store, begin, end, names), zone=None)


def _inspected(store: Store, since: datetime, until: datetime, names: Mapping[str, str]) -> Iterator[Inspected]:
    """What happened between. Figures are enough, but of invalid photos the reasons are wanted, too."""
    invalid = Filter(since=since, until=until, verdicts=["invalid"])
    reasons = {one.inspection_id: one.row["reasons"] for one in store.inspections.each(invalid)}
    for one in store.inspections.judged(Filter(since=since, until=until)):
        row = {
            "inspected_at": one.inspected_at.isoformat(),
            "verdict": one.verdict,
            "score": one.score,
            "reasons": reasons.get(one.inspection_id, []),
            "model": {"name": names.get(one.model_sha256, ""), "sha256": one.model_sha256},
        }
        yield Inspected(row, one.reviewed_as, one.station, one.measures)


def _reviews(store: Store, since: date) -> dict[Key, Reviews]:
    found: dict[Key, Counter[tuple[str, str]]] = defaultdict(Counter)
    for one in store.inspections.judged(Filter(since=_begin(since), reviewed=True)):
        assert one.reviewed_as is not None
        found[_date(one.inspected_at), one.station, one.model_sha256][one.verdict, one.reviewed_as] += 1
    return {key: Reviews(counts) for key, counts in found.items()}


def _summary(day: Day) -> DaySummary:
    summary = {
        "verdicts": dict(day.verdicts),
        "ok_scores": day.ok_scores and _tree(day.ok_scores),
        "reasons": dict(day.reasons),
        "measured": {name: _tree(quantiles) for name, quantiles in day.measured.items()},
    }
    return DaySummary(day=day.day, station=day.station, model_sha256=day.model_sha256, summary=summary)


def _day(one: DaySummary, names: Mapping[str, str]) -> Day:
    tree = one.summary
    return Day(
        day=one.day,
        station=one.station,
        model=names.get(one.model_sha256, ""),
        model_sha256=one.model_sha256,
        verdicts=tree["verdicts"],
        ok_scores=tree["ok_scores"] and _quantiles(tree["ok_scores"]),
        reasons=tree["reasons"],
        reviews=Reviews({}),
        measured={name: _quantiles(found) for name, found in tree["measured"].items()},
    )


def _tree(quantiles: Quantiles) -> dict[str, Any]:
    return {"n": quantiles.n, "by_share": {str(share): value for share, value in quantiles.by_share.items()}}


def _quantiles(tree: Mapping[str, Any]) -> Quantiles:
    return Quantiles(tree["n"], {float(share): value for share, value in tree["by_share"].items()})


def _begin(day: date) -> datetime:
    return moment(datetime(day.year, day.month, day.day))


def _date(time: datetime) -> date:
    return time.astimezone().date()
