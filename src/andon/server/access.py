"""Who may do what: by a token in the header, by the cookie of a session, or by being on this very computer.

As soon as the database holds a valid token, every request needs one. Without any, only a server that listens on this
computer alone answers, to everybody on it. A session is a signed cookie: it holds the token's name, so it survives a
restart and ends when the token is revoked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyCookie, HTTPBearer

from andon.errors import AndonError, InputError
from andon.store import Scope, Store

COOKIE = "andon_session"
CSRF_HEADER = "x-csrf-token"
KEY_FILE = "session.key"
KEY_BYTES = 32
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
SESSION_SECONDS = 30 * 24 * 3600
MOST_AHEAD = 24 * 3600
"""By so much longer a session may last, as the clock may have been set back since. More it is not worth."""
REMEMBERED_SECONDS = 5.0
"""So long a token that was revoked may still open something."""
MOST_REMEMBERED = 1000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ALL_SCOPES: frozenset[Scope] = frozenset({"inspect", "review", "admin"})

BEARER = HTTPBearer(auto_error=False, description="A token of `andon token add`.")
SESSION = APIKeyCookie(name=COOKIE, auto_error=False, description="The cookie of a page's login.")


class UnknownError(AndonError):
    """Nobody whom the station knows is asking."""


class ForbiddenError(AndonError):
    """Whoever asks may not do this."""


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Attributes:
        name: of the token; "local" where none is needed.
        csrf: what a form or the script of a page sends along; "" where no session is.
    """

    name: str
    scopes: frozenset[Scope]
    by: Literal["nothing", "token", "session"] = "token"
    csrf: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether it may do what needs this scope; admin may do all."""
        return scope in self.scopes or "admin" in self.scopes


LOCAL = Identity("local", ALL_SCOPES, "nothing")


class Access:
    """Knows tokens and sessions. Any thread may ask.

    Args:
        data: the folder for the key that signs sessions; it is made there.
        may_be_open: whether the server listens on this computer alone, so that no token is needed while there is none.
    """

    def __init__(self, store: Store, data: Path, *, may_be_open: bool) -> None:
        self._store = store
        self._key = _key(data / KEY_FILE)
        self._may_be_open = may_be_open
        self._secrets: dict[str, tuple[float, Identity]] = {}
        self._names: tuple[float, dict[str, frozenset[Scope]]] = (0.0, {})
        if self._valid():
            self._may_be_open = False

    def is_open(self) -> bool:
        """Whether no token is needed. Once one was needed, it stays so, until the server starts again."""
        return self._may_be_open

    def has_no_tokens(self) -> bool:
        """Whether nobody could get in."""
        return not self._valid()

    def of_secret(self, secret: str) -> Identity | None:
        """Whose token this is."""
        digest = hashlib.sha256(secret.encode("utf-8", "backslashreplace")).hexdigest()
        until, identity = self._secrets.get(digest, (0.0, LOCAL))
        if time.monotonic() < until:
            return identity
        token = self._store.tokens.check(secret)
        if token is None:
            self._secrets.pop(digest, None)
            return None
        if len(self._secrets) >= MOST_REMEMBERED:
            self._secrets.clear()
        found = Identity(token.name, token.scopes)
        self._secrets[digest] = (time.monotonic() + REMEMBERED_SECONDS, found)
        return found

    def log_in(self, secret: str) -> str | None:
        """The session's cookie of whoever knows the secret; None where it is no token's."""
        identity = self.of_secret(secret)
        if identity is None:
            return None
        name = base64.urlsafe_b64encode(identity.name.encode()).decode().rstrip("=")
        content = f"{name}.{int(time.time()) + SESSION_SECONDS}"
        return f"{content}.{self._sign('session', content)}"

    def of_cookie(self, cookie: str) -> Identity | None:
        """Whose session this is."""
        content, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", content).encode()):
            return None
        encoded, _, until = content.partition(".")
        name = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        scopes = self._valid().get(name)
        left = int(until) - time.time()
        if scopes is None or not 0 <= left <= SESSION_SECONDS + MOST_AHEAD:
            return None
        return Identity(name, scopes, "session", self._sign("csrf", cookie))

    def who(self, request: Request) -> Identity | None:
        """Who asks; None where nobody is known."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.of_secret(secret.strip())
        if (cookie := request.cookies.get(COOKIE)) and (found := self.of_cookie(cookie)):
            return found
        if self._valid():
            self._may_be_open = False
        return LOCAL if self.is_open() else None

    def _valid(self) -> dict[str, frozenset[Scope]]:
        until, names = self._names
        if time.monotonic() > until:
            names = {token.name: token.scopes for token in self._store.tokens.all() if token.revoked_at is None}
            self._names = time.monotonic() + REMEMBERED_SECONDS, names
        return names

    def _sign(self, purpose: str, content: str) -> str:
        return hmac.new(self._key, f"{purpose}\0{content}".encode(), hashlib.sha256).hexdigest()


def needs(scope: Scope | None) -> Callable[..., Awaitable[Identity]]:
    """A dependency of routes: who asks, and that they may do what needs this scope; None for whoever is known."""

    async def identity(
        request: Request,
        _: Annotated[object, Security(BEARER)] = None,
        __: Annotated[object, Security(SESSION)] = None,
    ) -> Identity:
        access: Access = request.app.state.andon.access
        found = await run_in_threadpool(access.who, request)
        if found is None:
            raise UnknownError("A valid token is needed; send it as 'Authorization: Bearer TOKEN', or log in.")
        if scope is not None and not found.may(scope):
            raise ForbiddenError(f"The token {found.name!r} may not do this; it needs the scope {scope!r}.")
        if found.by == "session" and request.method not in SAFE_METHODS:
            check_csrf(found, request.headers.get(CSRF_HEADER, ""))
        return found

    return identity


def check_csrf(identity: Identity, given: str) -> None:
    """See that a page of ours sent the request.

    Raises:
        ForbiddenError: it was not.
    """
    if not hmac.compare_digest(identity.csrf.encode(), given.encode()):
        raise ForbiddenError("The request did not come from a page of this session; load the page again.")


def _key(path: Path) -> bytes:
    """The key that signs sessions, for the owner's eyes alone; servers that share the folder have the same.

    Raises:
        InputError: the file holds no whole key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), os.fdopen(os.open(path, NEW, mode=0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    key = path.read_bytes()
    if len(key) != KEY_BYTES:  # anybody could sign with an empty one
        raise InputError(f"{path} holds no key of {KEY_BYTES} bytes; remove it, and a new one is made.")
    return key
