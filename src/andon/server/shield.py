"""What stands before the app: hosts and origins, sizes and rates, and headers that keep browsers strict.

A request that is refused early is read to its end first, within limits, as clients often look for an answer only after
they have sent all; a connection that is closed on them would lose it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from andon.server.access import SAFE_METHODS, Access
from andon.server.settings import Settings

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

INSPECT = "/v1/inspect"
UNLIMITED = (INSPECT, "/healthz")
"""Not limited in their rate: the one by the queue alone, the other costs nothing."""
MOST_OF_HEADERS = 32 * 1024
SMALL = 64 * 1024
"""Bytes of a body that is no photo."""
SECONDS_TO_SEND = 10.0
"""For a body that is no photo; a photo has the settings' deadline."""
SECONDS_TO_DRAIN = 2.0
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_ADDRESSES = 10_000

HEADERS = {
    "content-security-policy": "default-src 'none'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; media-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class _RefusedError(Exception):
    """The body is larger, or comes more slowly, than it may."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Shield:
    """Wraps the app.

    Args:
        access: says whether no token is needed; then only this computer's own names are answered to, so that no page
            of the web can reach the station under a name of its own.
        headers: of all answers, beside those that protect.
    """

    def __init__(self, app: App, *, settings: Settings, access: Access, headers: Mapping[str, str]) -> None:
        self._app = app
        self._settings = settings
        self._access = access
        self._headers = {**HEADERS, **headers}
        self._rates = Rates(settings.rate, settings.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_photo = scope["path"] == INSPECT
        most = self._settings.max_bytes if is_photo else SMALL
        body = _Body(receive, most, None if is_photo else SECONDS_TO_SEND)
        answer = _Answer(send, body, self._headers)
        if refusal := self._refusal(scope, most):
            await _refuse(answer, *refusal)
            return
        try:
            await self._app(scope, body.receive, answer.send)
        except _RefusedError as error:
            if answer.has_begun:
                raise
            body.refused = None
            await _refuse(answer, error.status, error.why)

    def _refusal(self, scope: Scope, most: int) -> tuple[int, str] | None:
        """Why the request goes no further."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_OF_HEADERS:
            return 431, f"The request's headers have more than {MOST_OF_HEADERS} bytes."
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if self._access.is_open() and _hostname(f"//{host}") not in LOOPBACK_NAMES:
            return 403, "Without tokens, this server answers only to localhost; make a token with: andon token add"
        if scope["method"] not in SAFE_METHODS and _is_foreign(headers, host):
            return 403, "The request came from a page of another site."
        address = (scope.get("client") or ("", 0))[0]
        if scope["path"] not in UNLIMITED and not self._rates.take(address):
            return 429, "Too many requests; wait a second."
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            return 413, _too_large(most)
        return None


class Rates:
    """Lets each address have so many requests per second, and a burst of them at once."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> bool:
        """Whether this address may have one more now."""
        now = time.monotonic()
        if len(self._left) > MOST_ADDRESSES:
            self._left.clear()
        left, then = self._left.get(address, (float(self._burst), now))
        left = min(self._burst, left + (now - then) * self._rate)
        self._left[address] = (max(0.0, left - 1), now)
        return left >= 1


class _Body:
    """The request's body as it comes in, at most so many bytes of it, in so many seconds.

    Attributes:
        refused: what the app was told instead of the rest.
    """

    def __init__(self, receive: Receive, most: int, seconds: float | None) -> None:
        self._receive = receive
        self._most = most
        self._until = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self._size = 0
        self.is_whole = False
        self.refused: _RefusedError | None = None

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout_at(None if self.is_whole else self._until):
                return await self._next()
        except TimeoutError:
            self.refused = _RefusedError(408, "The request's body did not arrive in time; send it again.")
        except _RefusedError as error:
            self.refused = error
        raise self.refused

    async def drain(self) -> None:
        """Read and forget what is left of it, at most twice as much as it may be."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_DRAIN):
                while not self.is_whole and self._size < 2 * self._most + SMALL:
                    with suppress(_RefusedError):
                        await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)
            if self._size > self._most:
                raise _RefusedError(413, _too_large(self._most))
        else:
            self.is_whole = True  # the client has gone
        return message


class _Answer:
    """The response as it goes out, with the headers that all have. It begins when the body was read or is given up."""

    def __init__(self, send: Send, body: _Body, headers: Mapping[str, str]) -> None:
        self._send = send
        self._body = body
        self._headers = headers
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._body.refused:  # the app takes it for a body that it cannot read
                raise self._body.refused
            await self._body.drain()
            self.has_begun = True
            own = {name for name, _ in message["headers"]}
            more = [(name.encode(), value.encode()) for name, value in self._headers.items()]
            message["headers"] = [*message["headers"], *((name, value) for name, value in more if name not in own)]
        await self._send(message)


async def _refuse(answer: _Answer, status: int, why: str) -> None:
    content = json.dumps({"error": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if status == 429:
        headers.append((b"retry-after", b"1"))
    await answer.send({"type": "http.response.start", "status": status, "headers": headers})
    await answer.send({"type": "http.response.body", "body": content})


def _too_large(most: int) -> str:
    return f"The request's body has more than {most / 1e6:.1f} MB, which is the limit; send less."


def _is_foreign(headers: dict[str, str], host: str) -> bool:
    """Whether a browser says that a page of another site sends this."""
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
