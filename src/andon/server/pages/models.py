"""Models: versions, where they come from and what they promise; who let which one judge when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from andon.errors import AndonError
from andon.server.access import Identity
from andon.server.pages.rendering import form, page, viewer
from andon.server.station import Station
from andon.store import Activation

ADMIN = Annotated[Identity, Depends(viewer("admin"))]
router = APIRouter()


@router.get("/models")
def models_page(request: Request, who: Annotated[Identity, Depends(viewer("review"))], saved: str = "") -> HTMLResponse:
    """All models.

    Args:
        saved: the digest of a version that was just made.
    """
    return _page(request, who, saved=saved)


@router.post("/models/activate")
async def activate(request: Request, who: ADMIN) -> Response:
    """Let a version judge from the next photo on."""
    fields = await form(request, who)
    desks, name, sha256 = request.app.state.station.desks, fields.get("name", ""), fields.get("sha256", "")
    return await _change(request, who, lambda: desks.activate(name, sha256, by=who.name))


@router.post("/models/rollback")
async def roll_back(request: Request, who: ADMIN) -> Response:
    """Let the version before judge again."""
    fields = await form(request, who)
    desks, name = request.app.state.station.desks, fields.get("name", "")
    return await _change(request, who, lambda: desks.roll_back(name, by=who.name))


async def _change(request: Request, who: Identity, change: Callable[[], Activation]) -> Response:
    """The page as it is afterwards; where nothing has changed it says why."""
    try:
        await run_in_threadpool(change)
    except AndonError as error:
        return await run_in_threadpool(_page, request, who, status=409, wrong=str(error))
    return RedirectResponse("/models", 303)


def _page(request: Request, who: Identity, *, status: int = 200, wrong: str = "", saved: str = "") -> HTMLResponse:
    station: Station = request.app.state.station
    known = station.store.models
    models = [
        {
            "name": desk.name,
            "judges": desk.pipeline.model_id.sha256,
            "versions": known.versions(desk.name),
            "activations": known.activations(desk.name),
        }
        for desk in station.desks.all()
    ]
    return page(request, "models.html", who, status=status, models=models, wrong=wrong, saved=saved)
