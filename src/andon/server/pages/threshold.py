"""Threshold: what a line at another place would do to the photos that are known."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from andon.errors import AndonError, InputError
from andon.line.by_hand import given
from andon.models.copy import with_thresholds
from andon.server.access import Identity
from andon.server.desk import Desk
from andon.server.pages.histogram import Scale, bars
from andon.server.pages.known_scores import KnownScores, known_scores, origin_of
from andon.server.pages.rendering import form, page, viewer
from andon.server.state import state_of
from andon.server.versions import FOLDER

Score = Annotated[float, Query(allow_inf_nan=False)]
VIEWER = Annotated[Identity, Depends(viewer("review"))]
router = APIRouter()


@router.get("/threshold")
def threshold_page(request: Request, who: VIEWER, model: str | None = None) -> HTMLResponse:
    """Three histograms on one scale, and the lines."""
    return _page(request, who, model)


@router.get("/threshold/what")
def what_then(
    request: Request, who: VIEWER, model: str, threshold: Score, review: Annotated[Score | None, Query()] = None
) -> HTMLResponse:
    """The consequence of lines at these scores."""
    desk, scores = _known(request, model)
    return page(request, "_what_then.html", who, **_what(desk, scores, threshold, review))


@router.post("/threshold")
async def save(request: Request, who: Annotated[Identity, Depends(viewer("admin"))]) -> Response:
    """A new version of the model with these thresholds. It judges only once it is activated."""
    fields = await form(request, who)
    try:
        sha256 = await run_in_threadpool(_save, request, who, fields)
    except (AndonError, ValueError) as error:
        wrong = str(error) if isinstance(error, AndonError) else "A threshold is not a number."
        return await run_in_threadpool(_page, request, who, fields.get("model"), status=409, wrong=wrong)
    return RedirectResponse(f"/models?saved={sha256}", 303)


def _page(request: Request, who: Identity, model: str | None, *, status: int = 200, wrong: str = "") -> HTMLResponse:
    station = state_of(request).station
    names = [desk.name for desk in station.desks.all()]
    desk, scores = _known(request, model or names[0])
    calibration = desk.pipeline.calibration
    assert calibration is not None
    scale = Scale.over(scores.ok, scores.live, scores.ng, calibration.threshold)
    return page(
        request,
        "threshold.html",
        who,
        status=status,
        wrong=wrong,
        names=names,
        scale=scale,
        rows=[(title, scores.of(kind), bars(scores.of(kind), scale)) for kind, title in KnownScores.TITLES],
        **_what(desk, scores, calibration.threshold, calibration.review_threshold),
    )


def _known(request: Request, model: str) -> tuple[Desk, KnownScores]:
    station = state_of(request).station
    desk = station.desks.of(model)
    return desk, known_scores(station.store, desk)


def _what(desk: Desk, scores: KnownScores, threshold: float, review: float | None) -> dict[str, Any]:
    before = desk.pipeline.calibration
    assert before is not None
    after = given(before, threshold, review, review=review is not None)
    is_same = after.threshold == before.threshold and after.review_threshold == before.review_threshold
    return {
        "model": desk.name,
        "before_sha256": desk.pipeline.model_id.sha256,
        "before": before,
        "after": before if is_same else after,
        "then": scores.counted(after.threshold, after.review_threshold),
        "now": scores.counted(before.threshold, before.review_threshold),
    }


def _save(request: Request, who: Identity, fields: dict[str, str]) -> str:
    station = state_of(request).station
    desk = station.desks.of(fields.get("model", ""))
    parent = station.store.models.get(desk.pipeline.model_id.sha256)
    if parent.sha256 != fields.get("of"):
        raise InputError("Another version judges since this page was loaded; look at its histograms first.")
    threshold = float(fields.get("threshold", ""))
    review = float(fields["review"]) if fields.get("review") else None
    folder = station.data / FOLDER
    folder.mkdir(exist_ok=True)
    # the name is the store's; a file's own name need only be new
    path = folder / f"{parent.sha256[:8]}-{secrets.token_hex(4)}.safetensors"
    header = with_thresholds(Path(parent.path), path, threshold, review)
    assert header.calibration is not None
    station.store.models.add(
        header.model_id.sha256,
        name=desk.name,
        path=str(path.resolve()),
        by=who.name,
        parent_sha256=parent.sha256,
        origin=f"Thresholds by hand; all else as in version {parent.sha256[:8]}.",
        promise=header.calibration.describe(),
        figures={"scores_of": origin_of(parent)},
    )
    return header.model_id.sha256
