"""Tokens: secrets that say who may do what. Of each only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from andon.errors import InputError, NotFoundError
from andon.store.database import Database
from andon.store.records import Scope, Token
from andon.store.tables import Tokens as Table

BITS = 256
PREFIX = "andon_"
COLUMNS = (Table.name, Table.scopes, Table.created_at, Table.revoked_at)


class Tokens:
    """The tokens of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, scopes: Iterable[Scope]) -> str:
        """Make a token and return its secret, which nobody can learn again.

        The secret is 256 random bits, so a fast hash is enough: there is nothing to guess.

        Raises:
            InputError: the name is taken, by a revoked token, too, or it has characters that cannot be shown.
        """
        if not name.strip() or not name.isprintable():
            raise InputError(f"A token cannot be called {name!r}; give it a name of characters that can be shown.")
        secret = PREFIX + secrets.token_urlsafe(BITS // 8)
        values = {"name": name, "sha256": _hash(secret), "scopes": sorted(set(scopes)), "created_at": datetime.now(UTC)}
        with self._database.write() as connection:
            if connection.execute(select(Table.name).where(Table.name == name)).first():
                raise InputError(f"There is a token {name!r} already; choose another name.")
            connection.execute(insert(Table), values)
        return secret

    def check(self, secret: str) -> Token | None:
        """The token of this secret; None where there is none or it is revoked. How long it takes says nothing."""
        given, token = _hash(secret), None
        query = select(Table.sha256, *COLUMNS).where(Table.revoked_at.is_(None))
        with self._database.read() as connection:
            for found in connection.execute(query):
                if hmac.compare_digest(found.sha256, given):
                    token = _token(found)
        return token

    def revoke(self, name: str) -> None:
        """Let the token open nothing from now on.

        Raises:
            NotFoundError: there is none of this name that was not revoked.
        """
        valid = update(Table).where(Table.name == name, Table.revoked_at.is_(None))
        with self._database.write() as connection:
            if not connection.execute(valid.values(revoked_at=datetime.now(UTC))).rowcount:
                raise NotFoundError(f"There is no valid token {name!r}.")

    def all(self) -> list[Token]:
        """All tokens, the revoked ones, too, by name."""
        with self._database.read() as connection:
            return [_token(found) for found in connection.execute(select(*COLUMNS).order_by(Table.name))]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).hexdigest()


def _token(found: Row[*tuple[Any, ...]]) -> Token:
    scopes = frozenset(found.scopes)
    return Token(name=found.name, scopes=scopes, created_at=found.created_at, revoked_at=found.revoked_at)
