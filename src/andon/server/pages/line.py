"""Line: the lamp, the last photo and why, and how the shift goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from andon.rows import PART_VERDICTS
from andon.server.access import Identity
from andon.server.clock import moment
from andon.server.pages.rendering import page, viewer
from andon.server.pages.shown import shown
from andon.server.state import state_of
from andon.server.station import Station
from andon.store import Activation, Filter, StoredInspection

LAST = 50
SHIFTS = (6, 14, 22)
"""Hours of the day at which a shift begins, by the server's clock."""
RATE_OVER = timedelta(minutes=10)
AHEAD = timedelta(minutes=1)
"""By so much the clock of another station may be ahead."""
CHANGED_FOR = timedelta(minutes=15)
"""So long the page says that the model changed."""
QUIET_AFTER = 30.0
QUIET_PAUSES = 6
"""A line is quiet when nothing came for so many of its usual pauses, and for 30 s at least."""

VIEWER = Annotated[Identity, Depends(viewer("review"))]
router = APIRouter()


@dataclass(frozen=True)
class Shift:
    """How the shift goes.

    Attributes:
        counts: of photos by verdict.
        rate: photos per minute, of the last ten minutes.
    """

    since: datetime
    counts: dict[str, int]
    rate: float

    @property
    def total(self) -> int:
        """Photos of the shift."""
        return sum(self.counts.values())

    def share(self, verdict: str) -> str:
        """How many of the photos that were judged have this verdict, in percent."""
        judged = sum(self.counts.get(one, 0) for one in PART_VERDICTS)
        return f"{100 * self.counts.get(verdict, 0) / judged:.1f} %" if judged else ""


@router.get("/")
def line_page(request: Request, who: VIEWER, station: str = "", shift: str = "") -> HTMLResponse:
    """The line; the script shows the next photos as they come.

    Args:
        station: whose photos; all unless given.
        shift: hours at which shifts begin, such as 6,18.
    """
    return page(request, "line.html", who, query=request.url.query, **_now(request, station, shift))


@router.get("/line/now")
def line_now(request: Request, who: VIEWER, station: str = "", shift: str = "") -> HTMLResponse:
    """The part of the page that changes."""
    return page(request, "_line.html", who, **_now(request, station, shift))


def _now(request: Request, name: str, shift: str) -> dict[str, Any]:
    station = state_of(request).station
    inspections = station.store.inspections
    now = datetime.now(UTC)
    strip = inspections.page(Filter(station=name or None), limit=LAST).inspections
    return {
        "last": shown(request, strip[0]) if strip else None,
        "strip": strip[::-1],
        "shift": _shift(station, name, now, _hours(shift)),
        "stations": [one for one in inspections.stations() if one],
        "station": name,
        "changed": _changed(station, now),
        "silent_for": _silent_for(station, now, strip[0]) if strip else 0.0,
        "quiet_after": quiet_after(strip),
    }


def _shift(station: Station, name: str, now: datetime, hours: tuple[int, ...]) -> Shift:
    inspections = station.store.inspections
    since, until = shift_of(now, hours)
    lately = inspections.counts(Filter(station=name or None, since=now - RATE_OVER, until=now + AHEAD))
    counts = inspections.counts(Filter(station=name or None, since=since, until=until))
    return Shift(since, counts, sum(lately.values()) / (RATE_OVER / timedelta(minutes=1)))


def shift_of(now: datetime, hours: tuple[int, ...]) -> tuple[datetime, datetime]:
    """When the shift of this time began and when the next one begins, by the server's clock, which daylight saving time
    moves. Photos that are dated later were made before the clock was set back, and are of no shift that has been."""
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    starts = [moment(midnight + timedelta(days=day, hours=hour)) for day in (-1, 0, 1) for hour in hours]
    return max(start for start in starts if start <= now), min(start for start in starts if start > now)


def _silent_for(station: Station, now: datetime, last: StoredInspection) -> float:
    """For how many seconds nothing came. The date of the last photo says nothing where the clock was set back since."""
    by_date = (now - last.inspected_at).total_seconds()
    return by_date if by_date >= 0 else station.seconds_since(last.number)


def quiet_after(newest_first: tuple[StoredInspection, ...]) -> float:
    """After how many seconds without a photo the line is quiet."""
    times = [one.inspected_at for one in newest_first]
    pauses = [(later - sooner).total_seconds() for later, sooner in pairwise(times)]
    return max(QUIET_AFTER, QUIET_PAUSES * median(pauses)) if pauses else QUIET_AFTER


def _hours(text: str) -> tuple[int, ...]:
    given = [hour.strip() for hour in text.split(",")]
    hours = tuple(int(hour) for hour in given if hour.isdecimal() and len(hour) <= 2 and int(hour) < 24)
    return hours or SHIFTS


def _changed(station: Station, now: datetime) -> list[Activation]:
    """The changes of version that whoever looks may not know of yet; the first version of a model is none."""
    found = []
    for desk in station.desks.all():
        newest = station.store.models.activations(desk.name, limit=2)
        judges = desk.pipeline.model_id.sha256
        if len(newest) == 2 and newest[0].sha256 == judges and abs(now - newest[0].at) < CHANGED_FOR:
            found.append(newest[0])
    return found
