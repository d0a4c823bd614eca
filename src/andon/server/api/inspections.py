"""What was judged: found by filter, looked at, reviewed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from andon.errors import InputError
from andon.server.access import Identity, needs
from andon.server.api.parameters import only_declared
from andon.server.api.shapes import (
    LARGEST,
    InspectionOut,
    ModelName,
    PageOut,
    PartId,
    ReviewIn,
    ReviewOut,
    StationName,
    Time,
    UndoIn,
    Verdict,
    WholeInspectionOut,
)
from andon.server.errors import problems
from andon.server.state import state_of
from andon.store import Filter

MAY_REVIEW = Annotated[Identity, Depends(needs("review"))]
router = APIRouter(prefix="/v1/inspections", tags=["inspections"], dependencies=[Depends(only_declared)])


@router.get("", summary="Find inspections", responses=problems())
def find(
    request: Request,
    who: MAY_REVIEW,
    verdict: Annotated[list[Verdict], Query(description="One or several.")] = [],  # noqa: B006
    part_id: PartId | None = None,
    station: StationName | None = None,
    model: ModelName | None = None,
    since: Annotated[Time | None, Query(description="From this time on, with its time zone.")] = None,
    until: Annotated[Time | None, Query(description="Before this time.")] = None,
    reviewed: Annotated[bool | None, Query(description="Whether a review counts for it.")] = None,
    after: Annotated[int | None, Query(ge=0, le=LARGEST, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> PageOut:
    """Newest first. Pages stay as they are while inspections are added."""
    served = state_of(request).station
    wanted = Filter(
        verdicts=verdict,
        part_id=part_id,
        station=station,
        model_name=model,
        since=since,
        until=until,
        reviewed=reviewed,
    )
    page = served.store.inspections.page(wanted, after=after, limit=limit)
    next_page = None if page.next is None else str(page.next)
    return PageOut(inspections=[InspectionOut.of(one) for one in page.inspections], next=next_page)


@router.get("/{inspection_id}", summary="One inspection, with its reviews", responses=problems(404))
def one(request: Request, who: MAY_REVIEW, inspection_id: UUID) -> WholeInspectionOut:
    """The row, and all that people said of it."""
    store = state_of(request).station.store
    found = store.inspections.get(str(inspection_id))
    reviews = [ReviewOut.of(review) for review in store.reviews.of(str(inspection_id))]
    return WholeInspectionOut(**InspectionOut.of(found).model_dump(), reviews=reviews)


def _picture(kind: str, what: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": what, "content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get(
    "/{inspection_id}/photo",
    summary="Its photo",
    response_class=Response,
    responses={**_picture("image/*", "The photo."), **problems(404, 410)},
)
async def photo(
    request: Request, who: MAY_REVIEW, inspection_id: UUID, size: Literal["original", "view", "thumbnail"] = "original"
) -> Response:
    """The file as it came, or a JPEG of at most 1280 or 240 pixels for pages."""
    pictures = state_of(request).pictures
    return await pictures.answer(request, lambda: pictures.photo(str(inspection_id), size))


@router.get(
    "/{inspection_id}/heatmap",
    summary="Its heat map",
    response_class=Response,
    responses={**_picture("image/png", "Colours to lay over the photo."), **problems(404, 409, 410)},
)
async def heatmap(request: Request, who: MAY_REVIEW, inspection_id: UUID) -> Response:
    """The anomaly map as a transparent PNG, of the photo's shape, of at most 1280 pixels."""
    pictures = state_of(request).pictures
    return await pictures.answer(request, lambda: pictures.heatmap(str(inspection_id)))


@router.get(
    "/{inspection_id}/panel",
    summary="All of it on one picture",
    response_class=Response,
    responses={**_picture("image/png", "Photo, anomaly map, regions."), **problems(404, 409, 410)},
)
async def panel(request: Request, who: MAY_REVIEW, inspection_id: UUID) -> Response:
    """Photo, anomaly map and regions side by side, with the nearest OK patches where the model holds them."""
    pictures = state_of(request).pictures
    return await pictures.answer(request, lambda: pictures.panel(str(inspection_id)))


@router.post("/{inspection_id}/review", summary="Say what the part is", responses=problems(404))
def review(request: Request, who: MAY_REVIEW, inspection_id: UUID, said: ReviewIn) -> ReviewOut:
    """The latest review counts; those before stay in the history."""
    reviews = state_of(request).station.store.reviews
    return ReviewOut.of(reviews.add(str(inspection_id), said.verdict, by=said.by or who.name, note=said.note))


@router.post("/{inspection_id}/review/undo", summary="Take the review back", responses=problems(404, 409))
def undo(request: Request, who: MAY_REVIEW, inspection_id: UUID, said: UndoIn) -> ReviewOut:
    """The one before it, if there is one, counts again. Answers with the one that was taken back."""
    taken_back = state_of(request).station.store.reviews.undo(str(inspection_id), by=said.by or who.name)
    if taken_back is None:
        raise InputError("There is no review to take back.")
    return ReviewOut.of(taken_back)
