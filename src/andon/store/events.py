"""What happened, in order, so that a page can ask for what is new."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, func, select

from andon.store import _events
from andon.store.database import Database
from andon.store.records import Event, EventKind
from andon.store.tables import Events as Table


class Events:
    """The events of a database. Inspections, reviews, activations and the golden set write theirs by themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> int:
        """The number of the newest event; 0 where there is none."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(Table.number))).scalar_one() or 0

    def since(self, number: int, *, limit: int = 1000) -> list[Event]:
        """The events above `number`, oldest first. None is missed by who asks again with the last one's number."""
        query = select(*Table.__table__.columns).where(Table.number > number).order_by(Table.number).limit(limit)
        with self._database.read() as connection:
            return [Event(**found._mapping) for found in connection.execute(query)]

    def add(self, kind: EventKind, subject: str) -> None:
        """Say that something else happened, such as an alarm."""
        with self._database.write() as connection:
            _events.add(connection, kind, subject, datetime.now(UTC))

    def forget(self, before: datetime) -> int:
        """Remove the events from before that time, and say how many those were. Numbers are not given again."""
        with self._database.write() as connection:
            return connection.execute(delete(Table).where(Table.at < before)).rowcount
