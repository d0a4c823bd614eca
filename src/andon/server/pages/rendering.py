"""How pages are made, and who may see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from andon.server.access import ForbiddenError, Identity, check_csrf
from andon.server.pages.made_of import made_of
from andon.server.state import state_of
from andon.store import Scope

FOLDER = Path(__file__).parent
MOST_FIELDS = 100
MENU = (
    ("Line", "/", "review"),
    ("Review", "/review", "review"),
    ("Threshold", "/threshold", "review"),
    ("Models", "/models", "review"),
    ("Drift", "/drift", "review"),
)
"""Title, address, and the scope that is needed to see it."""


class LogInFirstError(Exception):
    """Nobody is known who may see the page: they are sent to the login."""


def viewer(scope: Scope) -> Callable[[Request], Awaitable[Identity]]:
    """A dependency of pages: who looks, and that they have this scope; whoever is not known is sent to the login."""

    async def identity(request: Request) -> Identity:
        access = state_of(request).access
        found = await run_in_threadpool(access.who, request)
        if found is None:
            raise LogInFirstError
        if not found.may(scope):
            raise ForbiddenError(f"The token {found.name!r} may not see this page; it needs the scope {scope!r}.")
        return found

    return identity


async def form(request: Request, who: Identity | None = None) -> dict[str, str]:
    """The fields of a form that was sent, and that a page of this session sent it.

    Args:
        who: None for the login, which nobody has a session for.

    Raises:
        ForbiddenError: another page sent it.
    """
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = {name: values[-1] for name, values in parse_qs(body, max_num_fields=MOST_FIELDS).items()}
    except ValueError:  # more of them, so no page of ours sent it
        fields = {}
    if who is not None:
        check_csrf(who, fields.get("csrf", ""))
    return fields


def page(request: Request, name: str, who: Identity | None, *, status: int = 200, **values: object) -> HTMLResponse:
    """The page of the template `name`, with these values beside those that all pages know."""
    station = state_of(request).station
    menu = [(title, address) for title, address, scope in MENU if who is not None and who.may(scope)]  # type: ignore[arg-type]
    remarks = station.public_remarks if who is None else station.remarks
    known = {"who": who, "menu": menu, "here": request.url.path, "remarks": remarks, "made_of": made_of()}
    text = _templates().get_template(name).render(**known, **values)
    return HTMLResponse(text, status)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
