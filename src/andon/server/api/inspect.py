"""A photo in, its row out."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from andon.server.access import Identity, needs
from andon.server.api.parameters import only_declared
from andon.server.api.shapes import ROW, ModelName, PartId, StationName
from andon.server.desk import Incoming, Job, TooLateError
from andon.server.errors import answer, problems
from andon.server.state import state_of

NAME = "<body>"
BINARY = {"schema": {"type": "string", "format": "binary"}}

router = APIRouter(tags=["inspect"], dependencies=[Depends(only_declared)])


@router.post(
    "/v1/inspect",
    summary="Judge a photo",
    responses={
        200: {
            "description": "The row: what Andon says of the photo.",
            "content": {"application/json": {"schema": {"title": ROW}}},
        },
        **problems(404, 409, 415),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The bytes of the photo's file, as they are.",
            "content": {"application/octet-stream": BINARY, "image/*": BINARY},
        }
    },
)
async def inspect(
    request: Request,
    who: Annotated[Identity, Depends(needs("inspect"))],
    model: Annotated[ModelName | None, Query(description="Its name; may be left out where there is one model.")] = None,
    part_id: Annotated[PartId | None, Query(description="Of the part.")] = None,
    station: Annotated[StationName, Query(description="Where the photo was taken.")] = "",
) -> Response:
    """The photo is the body of the request, as it is; nothing else is opened.

    The row is in the database before it is answered. 503 says that it is not, and that the photo was dropped.
    """
    started = time.monotonic()
    served = state_of(request).station
    if request.headers.get("content-type", "").startswith("multipart/"):
        return answer(415, "Send the bytes of the photo as the body itself, not as a form.")
    desk = served.desks.of(model)
    desk.check_room()
    seconds = served.settings.deadline
    with state_of(request).intake.photo() as arriving:
        try:
            async with asyncio.timeout(seconds):
                data = await arriving.read(request.stream())
        except TimeoutError:
            return answer(408, f"The photo did not arrive within {seconds:g} s; send it again.")
        incoming = Incoming(data=data, name=NAME, part_id=part_id, station=station)
        job = served.submit(incoming, desk.name, seconds=seconds - (time.monotonic() - started))
        row = await _row(job, seconds)
    metrics = state_of(request).metrics
    metrics.seconds.labels(desk.name).observe(time.monotonic() - started)
    return JSONResponse(row)


async def _row(job: Job, seconds: float) -> dict[str, Any]:
    """The answer's row; what is being written at the deadline is waited for.

    Raises:
        TooLateError: it was dropped.
    """
    coming = asyncio.wrap_future(job.answer)
    await asyncio.wait({coming}, timeout=max(0.0, job.deadline - time.monotonic()))
    if (not coming.done() and job.answer.cancel()) or job.answer.cancelled():
        raise TooLateError(f"The photo was not judged within {seconds:g} s, and is dropped; send it again.")
    return (await coming).row
