"""Drift: what each day looked like, by station and version, and whether the accepted parts change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from andon.drift.daily import Day, Inspected, daily
from andon.drift.monitor import Settings
from andon.drift.replay import replay
from andon.server.access import Identity
from andon.server.pages.rendering import page, viewer
from andon.store import Filter, Store

DAYS = 250
"""As many as the alarm's promise is about."""
MOST = 200_000
"""Inspections that are read, the newest ones."""
SHOWN = 30

router = APIRouter()


@router.get("/drift")
def drift_page(request: Request, who: Annotated[Identity, Depends(viewer("review"))]) -> HTMLResponse:
    """A table for each station and version, the newest day first, and the alarms of days that are over."""
    store: Store = request.app.state.station.store
    now = datetime.now().astimezone()
    settings = Settings()
    days = daily(inspected(store, now - timedelta(days=DAYS)), zone=now.tzinfo or UTC)
    watched = replay([day for day in days if day.day < now.date()], settings)
    series = [(list(of)[::-1][:SHOWN], watched.get(key)) for key, of in groupby(sorted(days, key=_series), key=_series)]
    series.sort(key=lambda one: one[0][0].day, reverse=True)
    return page(request, "drift.html", who, series=series, settings=settings)


def inspected(store: Store, since: datetime) -> Iterator[Inspected]:
    """What happened since then, oldest first. Figures are enough, but of invalid photos the reasons are wanted, too."""
    names = {version.sha256: version.name for version in store.models.versions()}
    reasons = {
        one.inspection_id: one.row["reasons"]
        for one in store.inspections.each(Filter(since=since, verdicts=["invalid"]))
    }
    for one in store.inspections.judged(Filter(since=since), limit=MOST):
        row = {
            "inspected_at": one.inspected_at.isoformat(),
            "verdict": one.verdict,
            "score": one.score,
            "reasons": reasons.get(one.inspection_id, []),
            "model": {"name": names.get(one.model_sha256, ""), "sha256": one.model_sha256},
        }
        yield Inspected(row, one.reviewed_as, one.station, one.measures)


def _series(day: Day) -> tuple[str, str]:
    return day.station, day.model_sha256
