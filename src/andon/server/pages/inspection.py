"""One inspection on a page of its own, and the picture of what its region looks most like."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from andon.server.access import Identity
from andon.server.pages.rendering import page, viewer
from andon.server.pages.shown import shown
from andon.server.state import state_of

VIEWER = Annotated[Identity, Depends(viewer("review"))]
router = APIRouter(prefix="/inspections")


@router.get("/{inspection_id}")
def inspection_page(request: Request, who: VIEWER, inspection_id: UUID) -> HTMLResponse:
    """Photo, heat map, boxes and what people said of it."""
    one = state_of(request).station.store.inspections.get(str(inspection_id))
    return page(request, "inspection.html", who, one=shown(request, one))


@router.get("/{inspection_id}/nearest")
async def nearest(request: Request, who: VIEWER, inspection_id: UUID) -> Response:
    """The region, and the patch of an OK photo that it looks most like."""
    pictures = state_of(request).pictures
    return await pictures.answer(request, lambda: pictures.nearest(str(inspection_id)))
