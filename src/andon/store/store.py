"""The store: all that a station remembers, in one database."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from andon.errors import InputError
from andon.store import schema
from andon.store.database import Database, url_of
from andon.store.days import Days
from andon.store.events import Events
from andon.store.golden import Golden
from andon.store.inspections import Inspections
from andon.store.kept import Kept, last_kept
from andon.store.models import Models
from andon.store.outbox import Outbox
from andon.store.reviews import Reviews
from andon.store.steady_clock import SteadyClock
from andon.store.tokens import Tokens
from andon.store.watched import Watched


class Store:
    """A database in the newest form. Threads may share it, and so may processes.

    Attributes:
        inspections: written with their deliveries in one transaction; read by filter.
        days: what days that are over looked like.
        reviews: what people say, and who looks at what.
        golden: the photos that judge models.
        models: versions and activations.
        outbox: what is to be sent.
        watched: files of watched folders.
        kept: which photos are kept, and which may go.
        tokens: who may do what.
        events: what is new.
        clock: goes with what is removed by its age.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.clock = SteadyClock(last_kept(database))
        self.inspections = Inspections(database, self.clock)
        self.days = Days(database)
        self.reviews = Reviews(database)
        self.golden = Golden(database)
        self.models = Models(database)
        self.outbox = Outbox(database)
        self.watched = Watched(database)
        self.kept = Kept(database, self.clock)
        self.tokens = Tokens(database)
        self.events = Events(database)

    @classmethod
    def open(cls, url: str | None, data: Path, *, create: bool = True) -> Self:
        """Open the database at the URL, or the SQLite file `andon.db` in the data folder where none is given.

        An SQLite file is made where there is none; one of an older Andon is copied, then brought into the newest form.

        Args:
            create: whether an SQLite file may be made.

        Raises:
            InputError: the URL is no database that Andon can use, the database is of a newer Andon, is not Andon's, or
                is a PostgreSQL database on which `andon db upgrade` has not been run; or there is none to be opened.
            StoreError: it cannot be reached.
        """
        database = Database(url_of(url, data))
        if not create and database.is_sqlite and not Path(str(database)).is_file():
            raise InputError(f"There is no database {database}; give a URL with --db, or a folder with --data.")
        try:
            schema.ensure_newest(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def name_in(self, data: Path) -> str:
        """What tells this database from others that use the same data folder. The folder may move with its database."""
        if not self._database.is_sqlite:
            return self._database.url.set(drivername="postgresql", username=None, password=None).render_as_string()
        file, folder = Path(str(self._database)).resolve(), data.resolve()
        return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)

    def __str__(self) -> str:
        """Where it is, without the password."""
        return str(self._database)
