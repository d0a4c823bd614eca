"""Logging in by a token, and out again."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from andon.server.access import COOKIE, SESSION_SECONDS, Identity
from andon.server.pages.rendering import MENU, LogInFirstError, form, page, viewer
from andon.server.shield import Rates
from andon.server.state import state_of

PER_SECOND, AT_ONCE = 0.2, 10
"""Logins per address."""
OWN_ADDRESS = re.compile(r"/(?![/\\])[!-~]*")
"""A path of this server: `//elsewhere` would be another one, and browsers read `/\\` as `//`."""

router = APIRouter()


def send_to_login(app: FastAPI) -> None:
    """Let the app send whoever is not known to the login, at which each address has so many attempts.

    From there they come to the page that they wanted, or that the form is on which they sent.
    """
    app.state.logins = Rates(PER_SECOND, AT_ONCE)

    @app.exception_handler(LogInFirstError)
    def log_in_first(request: Request, error: LogInFirstError) -> Response:
        then = _wanted(request)
        return RedirectResponse("/login" if then == "/" else f"/login?{urlencode({'then': then})}", 303)


def _wanted(request: Request) -> str:
    asked = request.url
    if request.method == "GET":
        return f"{asked.path}?{asked.query}".rstrip("?")
    sent_from = f"/{asked.path.split('/')[1]}"
    return sent_from if sent_from in {address for _, address, _ in MENU} else "/"  # at /logout there is nothing to see


@router.get("/login")
def login_page(request: Request, then: str = "/") -> HTMLResponse:
    """Asks for a token.

    Args:
        then: the page that comes afterwards.
    """
    return page(request, "login.html", None, wrong="", then=then)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Begins a session, whose cookie no script can read."""
    logins: Rates = request.app.state.logins
    fields = await form(request)
    then = fields.get("then", "/")
    if not logins.take(request.client.host if request.client else ""):
        return page(request, "login.html", None, status=429, wrong="Too many attempts; wait a few seconds.", then=then)
    cookie = await run_in_threadpool(state_of(request).access.log_in, fields.get("token", "").strip())
    if cookie is None:
        return page(request, "login.html", None, status=401, wrong="That is no valid token.", then=then)
    answer = RedirectResponse(then if OWN_ADDRESS.fullmatch(then) else "/", 303)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
async def log_out(request: Request, who: Annotated[Identity, Depends(viewer("review"))]) -> Response:
    """Ends the session in this browser."""
    await form(request, who)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
