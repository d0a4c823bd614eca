"""For whoever watches over the server."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from andon.server.access import Identity, needs
from andon.server.api.shapes import HealthOut
from andon.server.errors import problems
from andon.server.state import state_of

router = APIRouter(tags=["health"])
EVERYBODY: dict[int | str, dict[str, Any]] = {
    status: entry for status, entry in problems().items() if status in (403, 413)
}


@router.head("/healthz", include_in_schema=False)  # as load balancers ask
@router.get("/healthz", summary="Is it alive?", responses=EVERYBODY)
def healthz(request: Request) -> HealthOut:
    """Answers as long as the process does."""
    served = state_of(request).station
    return HealthOut(status="draining" if served.is_draining else "ok", remarks=[])


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    summary="Does it take photos?",
    responses={**EVERYBODY, 503: {"model": HealthOut, "description": "It is about to end, or cannot write."}},
)
def readyz(request: Request) -> Response:
    """503 before it ends, while it still takes photos, and where the database cannot be used."""
    served = state_of(request).station
    wrong = served.why_not_ready()
    health = HealthOut(status="draining" if served.is_draining else "ok", remarks=[*served.public_remarks, *wrong])
    return JSONResponse(health.model_dump(), 503 if served.is_draining or wrong else 200)


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {"description": "In the format of Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems(),
    },
)
def metrics(request: Request, who: Annotated[Identity, Depends(needs(None))]) -> Response:
    """Needs a token of any scope."""
    return PlainTextResponse(state_of(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
