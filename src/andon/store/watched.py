"""The files of watched folders that were inspected: by content, so that each is inspected once, restarts or not."""

from __future__ import annotations

from sqlalchemy import select

from andon.store.database import Database
from andon.store.records import WatchedFile
from andon.store.tables import Inspections
from andon.store.tables import Watched as Table


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

    def files(self, folder: str) -> list[WatchedFile]:
        """All files of this folder that were inspected, as they were then: by path, size and time a file that lies
        there still is known again without being read."""
        columns = (Table.sha256, Table.folder, Table.path, Table.size, Table.modified_ns)
        with self._database.read() as connection:
            found = connection.execute(select(*columns).where(Table.folder == folder).order_by(Table.inspection))
            return [WatchedFile(**one._mapping) for one in found]
