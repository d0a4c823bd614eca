"""Line: the lamp and the last photo."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from andon.server.access import Identity
from andon.server.pages.rendering import page, viewer

router = APIRouter()


@router.get("/")
def line_page(request: Request, who: Annotated[Identity, Depends(viewer("review"))]) -> HTMLResponse:
    """The last inspection; the script shows the next ones as they come."""
    found = request.app.state.station.store.inspections.page(limit=1).inspections
    return page(request, "line.html", who, last=found[0] if found else None)
