"""Drift: what each day looked like, by station and version, and whether the accepted parts change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from andon.drift.daily import Day, Quantiles
from andon.drift.monitor import Settings
from andon.drift.replay import Watched, replay
from andon.line.appearance import FEATURES
from andon.server.access import Identity
from andon.server.daybook import days_to
from andon.server.pages.day_chart import Chart, chart
from andon.server.pages.rendering import page, viewer
from andon.server.state import state_of

SHOWN = 30
"""The newest days of a series, and no series without a photo in so many days."""
CHARTS = (("scores", "Scores of accepted parts"), ("brightness", "Light"), ("sharpness", "Sharpness"))

router = APIRouter()


@dataclass(frozen=True)
class Series:
    """The days of one station with one version.

    Attributes:
        days: the newest first.
        watched: what the monitor says of the days that are over; None where none is.
    """

    days: list[Day]
    watched: Watched | None

    def charts(self) -> list[tuple[str, Chart]]:
        """What is drawn, with its title."""
        since = [alarm.since for alarm in self.watched.alarms] if self.watched else []
        oldest_first = self.days[::-1]
        drawn = [(name, title, chart(name, oldest_first, since)) for name, title in CHARTS]
        return [(_with_meaning(name, title), one) for name, title, one in drawn if one is not None]


@router.get("/drift")
def drift_page(request: Request, who: Annotated[Identity, Depends(viewer("review"))]) -> HTMLResponse:
    """A table for each station and version, the newest day first, and the alarms of days that are over."""
    station = state_of(request).station
    today = datetime.now().astimezone().date()
    first_shown = today - timedelta(days=SHOWN - 1)
    days = days_to(today, station.store, reviews_since=first_shown)
    settings = Settings()
    watched = replay([day for day in days if day.day < today], settings)
    series = [
        Series(list(of)[-SHOWN:][::-1], watched.get(key)) for key, of in groupby(sorted(days, key=_series), key=_series)
    ]
    series.sort(key=lambda one: one.days[0].day, reverse=True)
    recent = [one for one in series if one.days[0].day >= first_shown]
    left_out = len(series) - len(recent)
    return page(
        request,
        "drift.html",
        who,
        series=recent,
        left_out=left_out,
        days=SHOWN,
        settings=settings,
        shown=_shown,
        features=FEATURES,
    )


def _series(day: Day) -> tuple[str, str]:
    return day.station, day.model_sha256


def _shown(quantiles: Quantiles | None, share: float, feature: str = "") -> str:
    """One quantile for people, in the unit of the feature."""
    if quantiles is None:
        return ""
    value = quantiles.by_share[share]
    return FEATURES[feature].show(value) if feature else f"{value:.3g}"


def _with_meaning(name: str, title: str) -> str:
    return f"{title} ({FEATURES[name].meaning})" if name in FEATURES else title
