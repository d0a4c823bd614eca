"""Every error as one sentence: {"error": "..."}, with the status that says whose it is."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from andon.errors import AndonError, ImageError, InputError, NotFoundError, StoreError
from andon.server.access import ForbiddenError, UnknownError
from andon.server.api.shapes import EXPECTED
from andon.server.desk import BusyError, TooLateError
from andon.server.pages.rendering import page
from andon.server.pictures import GoneError
from andon.server.sparing_log import SparingLog
from andon.server.station import TooLargeError

LOG = logging.getLogger("andon")

STATUS: tuple[tuple[type[AndonError], int], ...] = (
    (UnknownError, 401),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (GoneError, 410),
    (TooLargeError, 413),
    (ImageError, 422),
    (BusyError, 429),
    (TooLateError, 503),
    (StoreError, 503),
    (InputError, 409),
)
"""The first that fits."""

MEANING = {
    401: "No valid token, and no session.",
    403: "The token may not do this, or the request came from elsewhere.",
    404: "There is no such thing.",
    408: "The request's body did not come in time.",
    409: "It cannot be done as things are.",
    410: "It was there, and is not any more.",
    413: "The body has too many bytes.",
    415: "The body is of a kind that is not taken.",
    422: "What was sent is not what was expected.",
    429: "Too much at once; see the header Retry-After.",
    503: "Not now: too late, draining, or the database cannot be used.",
}


class Problem(BaseModel):
    """What was wrong, what was expected, what to do."""

    error: str


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the description of a route: the errors that it may answer with, beside those that all may."""
    return {
        status: {"model": Problem, "description": MEANING[status]}
        for status in sorted({401, 403, 408, 413, 422, 429, 503, *statuses})
    }


def tell_errors(app: FastAPI) -> None:
    """Let the app answer errors so."""
    log = SparingLog(LOG)

    @app.exception_handler(AndonError)
    def andon_error(request: Request, error: AndonError) -> Response:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
        headers = {}
        if isinstance(error, BusyError):
            headers["Retry-After"] = str(error.retry_after)
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if status >= 500:
            log.error(str(error))
        return told(request, status, str(error), headers)

    @app.exception_handler(RequestValidationError)
    def not_as_declared(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        return told(request, 422, f"The request's {where} is wrong: {_in_words(request, first)}.")

    @app.exception_handler(HTTPException)
    def of_starlette(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # what it says of a body that is no text
            return told(request, 422, "The request's body is not JSON in UTF-8.")
        if error.status_code == 404:
            return told(request, 404, f"There is nothing at {request.url.path}.")
        return told(request, error.status_code, f"{error.detail}: {request.method} {request.url.path}", error.headers)

    @app.exception_handler(ClientDisconnect)
    def hung_up(request: Request, error: ClientDisconnect) -> Response:
        return told(request, 408, "The client hung up before it had sent everything.")

    @app.exception_handler(Exception)
    def a_bug(request: Request, error: Exception) -> Response:
        return told(request, 500, f"Andon stumbled over {type(error).__name__}, which is a bug; its log says more.")


def _in_words(request: Request, error: dict[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return EXPECTED[context["pattern"]]
    if kind == "timezone_aware":
        return "expected a time zone, such as Z or %2B01:00 at its end"
    if error["loc"] == ("body",) and not _is_json(request.headers.get("content-type", "")):
        return "expected JSON, and the header Content-Type: application/json"
    return str(error["msg"])


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower().endswith("json")


def told(request: Request, status: int, sentence: str, headers: Any = None) -> Response:
    """An error as whoever asks can read it: a page for a person's browser, JSON for a program."""
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/"):
        shown = page(request, "error.html", None, status=status, sentence=sentence)
        shown.headers.update(headers or {})
        return shown
    return answer(status, sentence, headers)


def answer(status: int, sentence: str, headers: Any = None) -> Response:
    """An error as it goes out."""
    return JSONResponse({"error": sentence}, status, dict(headers or {}))
