"""Models that are known, and which version a name stands for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from andon.errors import InputError, NotFoundError
from andon.store import _events
from andon.store.database import Database
from andon.store.records import Activation, Change, StoredModel
from andon.store.tables import Activations
from andon.store.tables import Models as Table


class Models:
    """The models of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        sha256: str,
        *,
        name: str,
        path: str,
        by: str,
        parent_sha256: str | None = None,
        origin: str = "",
        promise: str = "",
        figures: Mapping[str, Any] | None = None,
    ) -> StoredModel:
        """Make a model file known; see `StoredModel`. One that is known already stays as it is, but for its path."""
        values = {"sha256": sha256, "name": name, "path": path, "added_by": by, "parent_sha256": parent_sha256}
        values |= {"origin": origin, "promise": promise}
        with self._database.write() as connection:
            known = connection.execute(update(Table).where(Table.sha256 == sha256).values(path=path)).rowcount
            if not known:
                now = datetime.now(UTC)
                connection.execute(insert(Table), values | {"figures": dict(figures or {}), "added_at": now})
                _events.add(connection, "model", sha256, now)
            return _get(connection, sha256)

    def get(self, sha256: str) -> StoredModel:
        """One model.

        Raises:
            NotFoundError: it is not known.
        """
        with self._database.read() as connection:
            return _get(connection, sha256)

    def versions(self, name: str | None = None) -> list[StoredModel]:
        """All models, or those of one name, newest first."""
        query = select(*Table.__table__.columns).order_by(Table.added_at.desc(), Table.sha256)
        if name is not None:
            query = query.where(Table.name == name)
        with self._database.read() as connection:
            return [StoredModel(**found._mapping) for found in connection.execute(query)]

    def set_figures(self, sha256: str, figures: Mapping[str, Any]) -> None:
        """Replace its figures, such as those of the golden set.

        Raises:
            NotFoundError: it is not known.
        """
        with self._database.write() as connection:
            _get(connection, sha256)
            connection.execute(update(Table).where(Table.sha256 == sha256).values(figures=dict(figures)))

    def active(self, name: str) -> StoredModel | None:
        """The version that the name stands for; None where none was ever activated."""
        with self._database.read() as connection:
            stack = _stack(connection, name)
            return _get(connection, stack[-1]) if stack else None

    def before(self, name: str) -> StoredModel:
        """The version that rolling back would let the name stand for.

        Raises:
            InputError: there is none before.
        """
        with self._database.read() as connection:
            return _get(connection, _before(connection, name))

    def activate(self, name: str, sha256: str, *, by: str) -> Activation:
        """Let the name stand for this version from now on.

        Raises:
            NotFoundError: the version is not known.
        """
        with self._database.write() as connection:
            _get(connection, sha256)
            return _change(connection, name, sha256, by, "activate")

    def roll_back(self, name: str, *, by: str) -> Activation:
        """Let the name stand again for the version before, and after that for the one before that.

        Raises:
            InputError: there is none before.
        """
        with self._database.write() as connection:
            return _change(connection, name, _before(connection, name), by, "roll back")

    def last_activation(self) -> int:
        """The number of the newest activation of any name; 0 where there is none."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(Activations.number))).scalar_one() or 0

    def activations(self, name: str | None = None, *, limit: int = 100) -> list[Activation]:
        """Who activated what when, newest first."""
        query = select(*Activations.__table__.columns).order_by(Activations.number.desc()).limit(limit)
        if name is not None:
            query = query.where(Activations.model_name == name)
        with self._database.read() as connection:
            return [Activation(**found._mapping) for found in connection.execute(query)]


def _get(connection: Connection, sha256: str) -> StoredModel:
    found = connection.execute(select(*Table.__table__.columns).where(Table.sha256 == sha256)).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no model {sha256!r} in the database; give the sha256 of one that was added.")
    return StoredModel(**found._mapping)


def _change(connection: Connection, name: str, sha256: str, by: str, what: Change) -> Activation:
    now = datetime.now(UTC)
    values = {"model_name": name, "sha256": sha256, "by": by, "at": now, "what": what}
    added = connection.execute(insert(Activations).returning(*Activations.__table__.columns), values)
    activation = Activation(**added.one()._mapping)
    _events.add(connection, "model", sha256, now)
    return activation


def _before(connection: Connection, name: str) -> str:
    stack = _stack(connection, name)
    if len(stack) < 2:
        raise InputError(f"No earlier version of {name} was active, so there is none to roll back to.")
    return stack[-2]


def _stack(connection: Connection, name: str) -> list[str]:
    """The versions that rolling back leads through; the last is active."""
    query = select(Activations.sha256, Activations.what).where(Activations.model_name == name)
    stack: list[str] = []
    for sha256, what in connection.execute(query.order_by(Activations.number)):
        if what == "roll back":
            stack.pop()
        elif stack[-1:] != [sha256]:
            stack.append(sha256)
    return stack
