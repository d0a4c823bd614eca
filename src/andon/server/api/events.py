"""What happens, as it happens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response, StreamingResponse

from andon.server.access import Identity, needs
from andon.server.api.parameters import only_declared
from andon.server.api.shapes import LARGEST
from andon.server.errors import answer, problems
from andon.server.state import state_of

router = APIRouter(tags=["events"], dependencies=[Depends(only_declared)])


@router.get(
    "/v1/events",
    summary="Follow what happens",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events: inspection, review, model, golden, delivery, alarm, note.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems(),
    },
)
async def events(
    request: Request,
    who: Annotated[Identity, Depends(needs("review"))],
    last_event_id: Annotated[int | None, Header(ge=0, le=LARGEST)] = None,
) -> Response:
    """Each event has data {kind, subject, at}; the subject of an inspection is its id.

    Whoever comes back with the header Last-Event-ID, as browsers do, gets what was missed.
    """
    feed = state_of(request).feed
    if not feed.has_room():
        return answer(503, "Too many follow the events already, or the server is about to end; try again later.")
    last = await feed.last()  # so a database that is away is told before the answer begins
    since = last if last_event_id is None else min(last, last_event_id)  # a larger one is of another database
    return StreamingResponse(feed.follow(since), media_type="text/event-stream")
