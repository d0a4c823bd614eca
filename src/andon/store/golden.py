"""The golden set: photos that judge models and never teach one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from andon.store import _events
from andon.store._finding import number_of
from andon.store._reading import WHOLE, conditions, stored
from andon.store.database import Database
from andon.store.records import Filter, GoldenPhoto, Judgement
from andon.store.tables import Golden as Table
from andon.store.tables import Inspections

ALL = Filter()


class Golden:
    """The golden set of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, inspection_ids: Iterable[str], kind: Judgement) -> None:
        """Put these in. What is in already takes the new kind.

        Raises:
            NotFoundError: there is no such inspection; then none is put in.
        """
        now = datetime.now(UTC)
        with self._database.write() as connection:
            for inspection_id in inspection_ids:
                number = number_of(connection, inspection_id)
                connection.execute(delete(Table).where(Table.inspection == number))
                connection.execute(insert(Table), {"inspection": number, "kind": kind, "added_at": now})
                _events.add(connection, "golden", inspection_id, now)

    def remove(self, inspection_id: str) -> None:
        """Take one out.

        Raises:
            NotFoundError: there is no such inspection.
        """
        with self._database.write() as connection:
            number = number_of(connection, inspection_id)
            if connection.execute(delete(Table).where(Table.inspection == number)).rowcount:
                _events.add(connection, "golden", inspection_id, datetime.now(UTC))

    def photos(self, wanted: Filter = ALL) -> list[GoldenPhoto]:
        """Those of the inspections that are wanted, in the order of their numbers."""
        query = select(*WHOLE, Table.kind, Table.added_at).join(Table, Table.inspection == Inspections.number)
        query = query.where(*conditions(wanted)).order_by(Inspections.number)
        with self._database.read() as connection:
            return [GoldenPhoto(stored(found), found.kind, found.added_at) for found in connection.execute(query)]
