"""Models: which version judges."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from andon.server.access import Identity, needs
from andon.server.api.parameters import only_declared
from andon.server.api.shapes import NO_CONTROLS, ActivateIn, ActivationOut, ModelOut, ModelsOut, VersionOut
from andon.server.errors import problems
from andon.server.state import state_of

NAME = Annotated[str, Path(max_length=200, pattern=NO_CONTROLS)]
router = APIRouter(prefix="/v1/models", tags=["models"], dependencies=[Depends(only_declared)])


@router.get("", summary="All models", responses=problems())
def models(request: Request, who: Annotated[Identity, Depends(needs(None))]) -> ModelsOut:
    """Those that are served, with their versions."""
    served = state_of(request).station
    store = served.store.models
    return ModelsOut(
        models=[
            ModelOut(
                name=desk.name,
                judges=desk.pipeline.model_id.sha256,
                waiting=desk.waiting,
                versions=[VersionOut.of(version) for version in store.versions(desk.name)],
                activations=[ActivationOut.of(change) for change in store.activations(desk.name)],
            )
            for desk in served.desks.all()
        ]
    )


@router.post("/{name}/activate", summary="Let a version judge", responses=problems(404, 409))
def activate(
    request: Request, who: Annotated[Identity, Depends(needs("admin"))], name: NAME, wanted: ActivateIn
) -> ActivationOut:
    """It is loaded and tried first; if it cannot be used, nothing changes. Photos under way end as they began."""
    served = state_of(request).station
    return ActivationOut.of(served.desks.activate(name, wanted.sha256, by=who.name))


@router.post("/{name}/rollback", summary="Let the version before judge again", responses=problems(404, 409))
def roll_back(request: Request, who: Annotated[Identity, Depends(needs("admin"))], name: NAME) -> ActivationOut:
    """And after that the one before that."""
    served = state_of(request).station
    return ActivationOut.of(served.desks.roll_back(name, by=who.name))
