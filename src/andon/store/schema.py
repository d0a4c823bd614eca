"""Which form the tables of a database have, and how an older form becomes the newest.

The forms are Alembic's revisions in `migrations/versions`; which one a database has stands in its table
`andon_version`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from andon.errors import InputError, StoreError
from andon.store.database import Database
from andon.store.tables import Table

VERSION_TABLE = "andon_version"
MIGRATIONS = Path(__file__).with_name("migrations")


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did.

    Attributes:
        before: the revision that the database had; None where it had no tables.
        after: the revision that it has now.
        backup: the copy from before; None where nothing was changed or there was nothing to copy.
    """

    before: str | None
    after: str
    backup: Path | None


def newest(migrations: Path = MIGRATIONS) -> str:
    """The revision that this Andon works with."""
    head = _scripts(migrations).get_current_head()
    assert head is not None
    return head


def revision(database: Database, migrations: Path = MIGRATIONS) -> str | None:
    """The revision of the database; None where it has no tables of Andon's.

    Raises:
        InputError: it is of a newer Andon, or has tables of the same names that are not Andon's.
        StoreError: it cannot be reached.
    """
    with database.read() as connection:
        found = _revision(connection)
        tables = set(inspect(connection).get_table_names())
    if found is None and (foreign := tables & set(Table.metadata.tables)):
        raise InputError(
            f"The database {database} has tables that are not Andon's ({', '.join(sorted(foreign))}); give another one "
            "with --db."
        )
    known = {script.revision for script in _scripts(migrations).walk_revisions()}
    if found is not None and found not in known:
        raise InputError(
            f"The database {database} was made by a newer Andon (its tables have form {found}, this Andon knows "
            f"{newest(migrations)}); install that one."
        )
    return found


def ensure_newest(database: Database, migrations: Path = MIGRATIONS) -> None:
    """Bring an SQLite database into the newest form, as it is ours alone; refuse a PostgreSQL database in an older one.

    Raises:
        InputError: it is of a newer Andon, is not Andon's, or is a PostgreSQL database that needs `andon db upgrade`.
        StoreError: it cannot be reached.
    """
    if database.is_sqlite:
        upgrade(database, migrations)
        return
    found = revision(database, migrations)
    if found != newest(migrations):
        state = "has no tables yet" if found is None else f"is of an older Andon (form {found})"
        raise InputError(f"The database {database} {state}; run: andon db upgrade --db URL")


def upgrade(database: Database, migrations: Path = MIGRATIONS) -> Upgraded:
    """Bring the database into the newest form, in one transaction; an SQLite file is copied before.

    Raises:
        InputError: it is of a newer Andon, or is not Andon's.
        StoreError: it cannot be reached or written.
    """
    if database.is_sqlite:
        Path(database.url.database or "").parent.mkdir(parents=True, exist_ok=True)
    before, after = revision(database, migrations), newest(migrations)
    if before == after:
        return Upgraded(before, after, None)
    backup = _back_up(database, before) if database.is_sqlite and before else None
    # SQLite changes a table by making it anew, and lets no table go that others refer to
    with closing(Database(database.url, foreign_keys=False)) as free, free.write() as connection:
        config = _config(migrations)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")  # does nothing where another process came first
        if database.is_sqlite and connection.execute(text("PRAGMA foreign_key_check")).first():
            raise StoreError(f"The database {database} has entries that refer to nothing, so it was left as it was.")
    return Upgraded(before, after, backup)


def _back_up(database: Database, revision: str) -> Path:
    """A copy beside the file, made by SQLite itself, so that it is whole while others write."""
    path = Path(database.url.database or "")
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = path.with_name(f"{path.stem}.form-{revision}.{now}{path.suffix}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _scripts(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(migrations))


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["version_table"] = VERSION_TABLE
    return config
