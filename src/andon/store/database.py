"""One database, SQLite or PostgreSQL, with many readers and one writer at a time.

SQLite: write-ahead log, and every commit is on the disk before it returns. A writing transaction begins with BEGIN
IMMEDIATE, because SQLite's timeout does not help a transaction that began to read and then wants to write.

PostgreSQL: a writing transaction first takes an advisory lock, which it holds until its commit is visible. So numbers
become visible in ascending order on both databases, and who asks for all above the last number misses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    TimeoutError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from andon.errors import InputError, StoreError
from andon.store.held import HeldFiles

FILE = "andon.db"
SECONDS_TO_WAIT = 30
"""For another writer."""
SECONDS_UNANSWERED = 10
"""Until a server that does not answer counts as gone."""
WRITERS_LOCK = 0x616E646F6E
"""The number of PostgreSQL's advisory lock: "andon" in hex."""

CABLE_OUT = {
    "connect_timeout": SECONDS_UNANSWERED,
    "tcp_user_timeout": 1000 * SECONDS_UNANSWERED,
    "keepalives_idle": SECONDS_UNANSWERED,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""PostgreSQL: otherwise a writer waits a quarter of an hour for a server whose cable was pulled."""

DAMAGED = ("malformed", "not a database")
"""What SQLite says of a file that is no database any more."""
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL")
POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")


def url_of(given: str | None, data: Path) -> URL:
    """Where the database is: at the URL that is given, else in the file `andon.db` of the data folder.

    Raises:
        InputError: it is no URL of SQLite or PostgreSQL.
    """
    if given is None:
        return URL.create("sqlite", database=str(data / FILE))
    expected = "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise InputError(f"The database's URL cannot be read; {expected}.") from None
    if url.drivername == "sqlite" and url.database and url.database != ":memory:" and not url.query:
        return url
    if url.drivername in POSTGRES:
        return url.set(drivername="postgresql+psycopg")
    raise InputError(f"{url.render_as_string()} is no database that Andon can use; {expected}.")


class Database:
    """A database that need not have Andon's tables yet. Threads may share it.

    Args:
        url: of `url_of`. Nothing is opened before the first transaction.
        foreign_keys: SQLite alone: whether rows that are referred to are held.
    """

    def __init__(self, url: URL, *, foreign_keys: bool = True) -> None:
        self.url = url
        self.is_sqlite = url.drivername == "sqlite"
        self._engine = _sqlite(url, foreign_keys) if self.is_sqlite else _postgres(url)
        self._files = HeldFiles(Path(url.database or "")) if self.is_sqlite else None
        self._begin = "BEGIN IMMEDIATE" if self.is_sqlite else f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})"
        self._one_writer = Lock()

    def __str__(self) -> str:
        """For messages: without the password."""
        if self.is_sqlite:
            return self.url.database or ""
        return self.url.set(drivername="postgresql").render_as_string()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with; each statement sees what was committed before it.

        Raises:
            StoreError: the database cannot be reached or read, or its file was moved.
        """
        with self._told(), self._engine.connect() as connection:
            yield connection
            self._learn()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A writing transaction, alone: committed at the end, undone by any error. Not to be nested.

        Raises:
            StoreError: the database cannot be reached or written, or its file was moved, maybe before the commit.
        """
        with self._one_writer, self._told():
            with self._engine.begin() as connection:
                connection.execute(text(self._begin))
                yield connection
                self._learn()
            self._check()

    def close(self) -> None:
        """Close all connections; later transactions open new ones."""
        self._engine.dispose()
        if self._files is not None:
            self._files.forget()

    def _learn(self) -> None:
        if self._files is not None:
            self._files.learn()

    def _check(self) -> None:
        if self._files is not None:
            self._files.check()

    @contextmanager
    def _told(self) -> Iterator[None]:
        self._check()  # before a connection is opened, which would make a new file
        try:
            yield
        except (IntegrityError, ProgrammingError):  # bugs
            raise
        except (DatabaseError, InterfaceError, TimeoutError) as error:
            why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            advice = "check that it is there, has room and may be written"
            if any(word in why for word in DAMAGED):
                advice = "restore it from a backup"
            raise StoreError(f"The database {self} cannot be used ({why}); {advice}.") from error


def _sqlite(url: URL, foreign_keys: bool) -> Engine:
    # isolation_level None: sqlite3 begins no transaction by itself
    engine = create_engine(
        url,
        connect_args={"timeout": SECONDS_TO_WAIT, "isolation_level": None},
        max_overflow=50,
    )

    def set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (*PRAGMAS, f"foreign_keys = {foreign_keys:d}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", set_pragmas)
    return engine


def _postgres(url: URL) -> Engine:
    options = f"-c lock_timeout={SECONDS_TO_WAIT}s"
    return create_engine(
        url,
        connect_args={"options": options, "application_name": "andon", **CABLE_OUT},
        pool_pre_ping=True,
        max_overflow=50,
    )
