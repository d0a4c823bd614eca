"""Models: versions, where they come from and what they promise; who let which one judge when.

What takes long, improving and comparing, runs in the background; the page asks how far it is, and then shows what came
of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from andon.errors import AndonError, InputError
from andon.server import improver, two_versions
from andon.server.access import Identity
from andon.server.background import Background, Task
from andon.server.desk import Desk
from andon.server.pages.rendering import form, page, viewer
from andon.server.state import state_of
from andon.server.station import Station
from andon.store import Activation

VIEWER = Annotated[Identity, Depends(viewer("review"))]
ADMIN = Annotated[Identity, Depends(viewer("admin"))]
router = APIRouter()


@router.get("/models")
def models_page(request: Request, who: VIEWER, saved: str = "") -> HTMLResponse:
    """All models.

    Args:
        saved: the digest of a version that was just made.
    """
    return _page(request, who, saved=saved)


@router.post("/models/activate")
async def activate(request: Request, who: ADMIN) -> Response:
    """Let a version judge from the next photo on."""
    fields = await form(request, who)
    desks, name, sha256 = state_of(request).station.desks, fields.get("name", ""), fields.get("sha256", "")
    return await _change(request, who, lambda: desks.activate(name, sha256, by=who.name))


@router.post("/models/rollback")
async def roll_back(request: Request, who: ADMIN) -> Response:
    """Let the version before judge again."""
    fields = await form(request, who)
    desks, name = state_of(request).station.desks, fields.get("name", "")
    return await _change(request, who, lambda: desks.roll_back(name, by=who.name))


@router.post("/models/improve")
async def improve(request: Request, who: ADMIN) -> Response:
    """Begin to make a better version of the one that judges."""
    name = (await form(request, who)).get("name", "")
    return await _change(request, who, lambda: _improve(request, name, who.name))


@router.post("/models/compare")
async def compare(request: Request, who: ADMIN) -> Response:
    """Begin to compare two versions on the last photos."""
    fields = await form(request, who)
    name, pair = fields.get("name", ""), (fields.get("first", ""), fields.get("second", ""))
    return await _change(request, who, lambda: _compare(request, name, pair, who.name))


@router.get("/models/work")
def work(request: Request, who: VIEWER) -> HTMLResponse:
    """What runs in the background, and how far it is."""
    background = state_of(request).background
    return page(request, "_work.html", who, task=background.running)


def _improve(request: Request, name: str, by: str) -> None:
    station = state_of(request).station
    version = station.store.models.get(station.desks.of(name).pipeline.model_id.sha256)
    if instead := improver.why_not(version):
        raise InputError(instead)
    task = Task(improver.KIND, name, by)
    state_of(request).background.start(task, lambda task: improver.improved(station, version, task))


def _compare(request: Request, name: str, pair: tuple[str, str], by: str) -> None:
    station = state_of(request).station
    station.desks.of(name)
    first, second = (station.store.models.get(sha256) for sha256 in pair)
    if first == second or {first.name, second.name} != {name}:
        raise InputError(f"Choose two versions of {name}.")
    task = Task(two_versions.KIND, name, by)
    state_of(request).background.start(task, lambda task: two_versions.compared(station, first, second, task))


async def _change(request: Request, who: Identity, change: Callable[[], Activation | None]) -> Response:
    """The page as it is afterwards; where nothing has changed it says why."""
    try:
        await run_in_threadpool(change)
    except AndonError as error:
        return await run_in_threadpool(_page, request, who, status=409, wrong=str(error))
    return RedirectResponse("/models", 303)


def _page(request: Request, who: Identity, *, status: int = 200, wrong: str = "", saved: str = "") -> HTMLResponse:
    station = state_of(request).station
    background = state_of(request).background
    task = background.running  # asked first: what is done meanwhile is still under way to this page, which asks again
    models = [_about(station, background, task, desk) for desk in station.desks.all()]
    values = {"models": models, "task": task, "wrong": wrong, "saved": saved, "most": two_versions.MOST}
    return page(request, "models.html", who, status=status, **values)


def _about(station: Station, background: Background, running: Task | None, desk: Desk) -> dict[str, Any]:
    known = station.store.models
    versions = known.versions(desk.name)
    judges = next(version for version in versions if version.sha256 == desk.pipeline.model_id.sha256)
    return {
        "name": desk.name,
        "judges": judges.sha256,
        "versions": versions,
        "activations": known.activations(desk.name),
        "instead": improver.why_not(judges),
        "improved": _done(background.last(improver.KIND, desk.name), running),
        "compared": _done(background.last(two_versions.KIND, desk.name), running),
        "newest_other": next((version.sha256 for version in versions if version != judges), ""),
    }


def _done(task: Task | None, running: Task | None) -> Task | None:
    return None if task is None or task is running or task.is_running else task
