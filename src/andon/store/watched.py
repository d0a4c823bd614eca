"""The files of watched folders that were inspected: by content, so that each is inspected once, restarts or not."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from andon.store.database import Database
from andon.store.records import WatchedFile
from andon.store.tables import Inspections
from andon.store.tables import Watched as Table

AT_ONCE = 1000
"""Rows that are read together."""


class Watched:
    """The watched files of a database. They are written with their inspection: see `NewInspection.watched`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def inspection_of(self, folder: str, sha256: str) -> str | None:
        """The inspection id of this content in this folder; None where it was not inspected yet."""
        query = select(Inspections.inspection_id).join(Table, Table.inspection == Inspections.number)
        with self._database.read() as connection:
            found = connection.execute(query.where(Table.folder == folder, Table.sha256 == sha256))
            return found.scalar_one_or_none()

    def each(self, folder: str) -> Iterator[WatchedFile]:
        """All files of this folder that were inspected, as they were then: by path, size and time a file that lies
        there still is known again without being read. Memory does not grow with their number."""
        columns = (Table.sha256, Table.folder, Table.path, Table.size, Table.modified_ns)
        query = select(*columns).where(Table.folder == folder).execution_options(yield_per=AT_ONCE)
        with self._database.read() as connection:
            for one in connection.execute(query):
                yield WatchedFile(**one._mapping)
