"""HTTP around a station."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from andon.server import pages
from andon.server.access import Access
from andon.server.api import events, health, inspect, inspections, models
from andon.server.background import Background
from andon.server.errors import tell_errors
from andon.server.feed import Feed
from andon.server.intake import Intake
from andon.server.metrics import Metrics
from andon.server.openapi import describe
from andon.server.pages.made_of import HEADER, made_of
from andon.server.pictures import Pictures
from andon.server.shield import Shield
from andon.server.state import State
from andon.server.station import Station

DESCRIPTION = 'Photos of parts in, rows out. An error is one sentence: {"error": "..."}.'


def make_app(station: Station, access: Access) -> FastAPI:
    """The app of a station that has been started. What its routes need is `state.state_of` a request."""
    state = State(
        station=station,
        access=access,
        background=Background(),
        feed=Feed(station, station.settings.max_followers),
        intake=Intake(station.settings.max_bytes_under_way),
        pictures=Pictures(station),
        metrics=Metrics(station),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await state.feed.open()
        yield
        state.feed.close()
        await run_in_threadpool(state.background.close)

    app = FastAPI(
        title="Andon",
        version=version("andon"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its scripts would come from elsewhere
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.andon = state
    for part in (inspect, inspections, models, events, health):
        app.include_router(part.router)
    pages.add_to(app)
    tell_errors(app)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    app.add_middleware(Shield, settings=station.settings, access=access, headers={HEADER: made_of()})
    return app
