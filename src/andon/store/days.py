"""Days that are over, summed up once, so that a page about months need not read all their inspections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import delete, func, insert, select

from andon.store.database import Database
from andon.store.records import DaySummary
from andon.store.tables import Days as Table
from andon.store.tables import Inspections


class Days:
    """The summaries of a database. What is in one is the business of whoever sums up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, day: date) -> list[DaySummary]:
        """Those of this day and later ones, in order of the day, the station and the version."""
        query = select(Table.day, Table.station, Table.model_sha256, Table.summary).where(Table.day >= day.isoformat())
        with self._database.read() as connection:
            found = connection.execute(query.order_by(Table.day, Table.station, Table.model_sha256)).all()
        return [
            DaySummary(day=date.fromisoformat(day), station=station, model_sha256=sha256, summary=summary)
            for day, station, sha256, summary in found
        ]

    def put(self, day: date, summaries: Sequence[DaySummary], *, up_to: int) -> None:
        """Write what a day looked like, in the place of what was known of it.

        Args:
            up_to: the largest number of an inspection when its inspections were read.

        Raises:
            StoreError: the database cannot be written.
        """
        rows = [
            {
                "day": one.day.isoformat(),
                "station": one.station,
                "model_sha256": one.model_sha256,
                "summary": dict(one.summary),
                "up_to": up_to,
            }
            for one in summaries
        ]
        with self._database.write() as connection:
            connection.execute(delete(Table).where(Table.day == day.isoformat()))
            if rows:
                connection.execute(insert(Table), rows)

    def forget(self, since: date) -> None:
        """Forget this day and later ones.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._database.write() as connection:
            connection.execute(delete(Table).where(Table.day >= since.isoformat()))

    def last(self) -> tuple[date, int] | None:
        """The last day that was summed up, and the largest number of an inspection then; None where there is none."""
        with self._database.read() as connection:
            day, up_to = connection.execute(select(func.max(Table.day), func.max(Table.up_to))).one()
        return None if day is None else (date.fromisoformat(day), up_to)

    def times_after(self, number: int) -> Iterator[datetime]:
        """When the inspections with larger numbers were made: long ago where somebody has written old ones only now."""
        query = select(Inspections.inspected_at).where(Inspections.number > number)
        with self._database.read() as connection:
            yield from connection.execute(query).scalars()

    def next_time(self, since: datetime) -> datetime | None:
        """When the first photo from then on was inspected; None where there is none."""
        query = select(Inspections.inspected_at).where(Inspections.inspected_at >= since)
        with self._database.read() as connection:
            return connection.execute(query.order_by(Inspections.inspected_at).limit(1)).scalar()
