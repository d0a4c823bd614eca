"""Review: the most doubtful photo first, one key for each verdict.

A window of a browser claims what it shows and the two photos after that, so that two people never get the same one and
the next one is there at once. All answers are the part of the page that changes.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from andon.errors import InputError
from andon.server.access import Identity, needs
from andon.server.api.shapes import NO_CONTROLS, Judgement, Person
from andon.server.pages.rendering import page, viewer
from andon.server.pages.shown import shown
from andon.server.state import state_of
from andon.store import Filter, StoredInspection

AHEAD = 3
MOST_SKIPPED = 500

MAY_REVIEW = Annotated[Identity, Depends(needs("review"))]
Text = Annotated[str, Field(max_length=200, pattern=NO_CONTROLS)]
router = APIRouter()


class Sitting(BaseModel):
    """Who looks.

    Attributes:
        window: of the browser, unlike any other.
        by: the name that stands beside what was said.
        skipped: what this window does not want to see now.
    """

    window: Annotated[str, Field(min_length=8, max_length=64, pattern=NO_CONTROLS)]
    by: Person
    station: Text = ""
    skipped: Annotated[list[UUID], Field(max_length=MOST_SKIPPED)] = []


class Said(Sitting):
    """What they say."""

    inspection_id: UUID
    verdict: Judgement
    note: Annotated[str, Field(max_length=2000)] = ""


class One(Sitting):
    """The inspection that they want to see, or to take back."""

    inspection_id: UUID


@router.get("/review")
def review_page(
    request: Request, who: Annotated[Identity, Depends(viewer("review"))], station: str = ""
) -> HTMLResponse:
    """The frame; the script asks for the first photo."""
    return page(request, "review.html", who, station=station)


@router.post("/review/next")
def following(request: Request, who: MAY_REVIEW, sitting: Sitting) -> HTMLResponse:
    """The most doubtful photo that nobody else looks at."""
    return _next(request, who, sitting, "")


@router.post("/review/say")
def say(request: Request, who: MAY_REVIEW, said: Said) -> HTMLResponse:
    """Write down what was said, and show the next photo."""
    station = state_of(request).station
    inspection_id = str(said.inspection_id)
    station.store.reviews.add(inspection_id, said.verdict, by=said.by, note=said.note)
    name = station.store.inspections.get(inspection_id).row["part_id"] or inspection_id[:8]
    return _next(request, who, said, f"{name} is {said.verdict}.")


@router.post("/review/undo")
def undo(request: Request, who: MAY_REVIEW, wanted: One) -> HTMLResponse:
    """Take back what was said of a photo, and show it again."""
    reviews = state_of(request).station.store.reviews
    counts = reviews.that_count([str(wanted.inspection_id)]).get(str(wanted.inspection_id))
    if counts is None:
        raise InputError("There is no review to take back.")
    if counts.by != wanted.by:
        raise InputError(f"{counts.by} has reviewed this photo since; what they said stays.")
    reviews.undo(str(wanted.inspection_id), by=wanted.by)
    return _again(request, who, wanted, f"Taken back: {counts.verdict}.")


@router.post("/review/show")
def show(request: Request, who: MAY_REVIEW, wanted: One) -> HTMLResponse:
    """A photo that was on the page before."""
    return _again(request, who, wanted, "")


@router.post("/review/leave", status_code=204)
def leave(request: Request, who: MAY_REVIEW, sitting: Sitting) -> None:
    """The window was closed: others may have what it held."""
    state_of(request).station.store.reviews.release(sitting.window)


def _next(request: Request, who: Identity, sitting: Sitting, said: str) -> HTMLResponse:
    found = state_of(request).station.store.reviews.next_to_review(
        sitting.window,
        limit=AHEAD,
        wanted=Filter(station=sitting.station or None),
        skip=[str(one) for one in sitting.skipped],
    )
    return _page(request, who, sitting, found, said)


def _again(request: Request, who: Identity, wanted: One, said: str) -> HTMLResponse:
    """The photo, which nobody else gets meanwhile."""
    store = state_of(request).station.store
    one = store.inspections.get(str(wanted.inspection_id))
    store.reviews.hold(one.inspection_id, wanted.window)
    return _page(request, who, wanted, [one], said)


def _page(request: Request, who: Identity, sitting: Sitting, found: list[StoredInspection], said: str) -> HTMLResponse:
    ready = [shown(request, one) for one in found]
    waiting = state_of(request).station.store.reviews.waiting(Filter(station=sitting.station or None))
    one, ahead = (ready[0], ready[1:]) if ready else (None, [])
    return page(request, "_review.html", who, one=one, ahead=ahead, waiting=waiting, said=said)
