"""The form of the tables: made, brought up to date after a copy, or refused in one sentence."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from drawn_rows import drawn_row
from sqlalchemy import text

from andon.errors import InputError, StoreError
from andon.store import NewInspection, Store, schema
from andon.store.database import Database, url_of
from andon.store.tables import Table

NEXT_STEP = '''
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade() -> None:
    """What SQLite can do only by making the table anew."""
    with op.batch_alter_table("inspections") as table:
        table.add_column(sa.Column("shift", sa.Text(), nullable=False, server_default="early"))
        table.alter_column("station", existing_type=sa.Text(), nullable=True)
'''


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The steps of an Andon that has one more."""
    steps = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, steps)
    (steps / "versions" / "v9999_shift.py").write_text(NEXT_STEP.format(newest=schema.newest()))
    return steps


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(Database(url_of(url, Path()))) as opened:
        yield opened


def filled(url: str, folder: Path) -> str:
    """A database with an inspection that others refer to; its id."""
    with Store.open(url, folder) as store:
        row = drawn_row()
        store.inspections.add(NewInspection(row=row, station="A"))
        store.reviews.add(row["inspection_id"], "OK", by="ann")
        return str(row["inspection_id"])


def backups(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.form-*.db"))


def test_the_steps_make_the_tables_that_the_code_knows(store: Store, database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": schema.VERSION_TABLE, "compare_type": True, "compare_server_default": True},
        )
        assert compare_metadata(context, Table.metadata) == []


def test_an_older_form_becomes_the_newest_with_all_that_is_in_it(url: str, later: Path, tmp_path: Path) -> None:
    inspection_id = filled(url, tmp_path)
    before = schema.newest()
    with closing(Database(url_of(url, tmp_path))) as database:
        done = schema.upgrade(database, later)
        assert (done.before, done.after) == (before, "9999")
        with database.read() as connection:
            query = text("SELECT shift, by FROM inspections JOIN reviews ON reviews.inspection = inspections.number")
            assert tuple(connection.execute(query).one()) == ("early", "ann")
        assert schema.upgrade(database, later).backup is None  # nothing is left to do
        if database.is_sqlite:
            assert done.backup is not None and backups(tmp_path) == [done.backup]
            with Store.open(f"sqlite:///{done.backup}", tmp_path) as store:
                assert store.inspections.get(inspection_id).reviewed_as == "OK"


def test_an_upgrade_that_fails_leaves_all_as_it_was(url: str, later: Path, tmp_path: Path) -> None:
    filled(url, tmp_path)
    step = later / "versions" / "v9999_shift.py"
    step.write_text(step.read_text() + '    op.execute("INSERT INTO no_such_table VALUES (1)")\n')
    with closing(Database(url_of(url, tmp_path))) as database:
        with pytest.raises(Exception, match="no_such_table"):
            schema.upgrade(database, later)
        assert schema.revision(database, later) == schema.newest()
    with Store.open(url, tmp_path) as store:
        assert store.inspections.last() == 1


def test_a_newer_form_is_refused(url: str, later: Path, tmp_path: Path) -> None:
    with closing(Database(url_of(url, tmp_path))) as database:
        schema.upgrade(database, later)
        for refuse in (lambda: Store.open(url, tmp_path), lambda: schema.upgrade(database)):
            with pytest.raises(InputError, match=r"made by a newer Andon .*9999"):
                refuse()


def test_tables_of_others_are_not_touched(empty_url: str, tmp_path: Path) -> None:
    with closing(Database(url_of(empty_url, tmp_path))) as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE models (colour TEXT)"))
        with pytest.raises(InputError, match=r"tables that are not Andon's \(models\)"):
            Store.open(empty_url, tmp_path)
        with pytest.raises(InputError, match="not Andon's"):
            schema.upgrade(database)


def test_opening_makes_a_file_and_refuses_an_empty_server(empty_url: str, kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        with Store.open(None, tmp_path / "new" / "folder") as store:
            assert store.inspections.last() == 0
        assert (tmp_path / "new" / "folder" / "andon.db").is_file() and backups(tmp_path) == []
        return
    with pytest.raises(InputError, match="has no tables yet; run: andon db upgrade --db URL"):
        Store.open(empty_url, tmp_path)


def test_opening_upgrades_a_file_and_refuses_an_older_server(url: str, kind: str, later: Path, tmp_path: Path) -> None:
    with closing(Database(url_of(url, tmp_path))) as database:
        schema.ensure_newest(database)
        if kind == "sqlite":
            schema.ensure_newest(database, later)
            assert schema.revision(database, later) == "9999" and len(backups(tmp_path)) == 1
            return
        with pytest.raises(InputError, match=r"is of an older Andon \(form \d+\); run: andon db upgrade"):
            schema.ensure_newest(database, later)


def test_many_may_open_a_new_database_at_once(empty_url: str, tmp_path: Path) -> None:
    def make(_: int) -> str:
        with closing(Database(url_of(empty_url, tmp_path))) as database:
            return schema.upgrade(database).after

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(make, range(4))) == {schema.newest()}
    with Store.open(empty_url, tmp_path) as store:
        assert store.inspections.last() == 0


def test_sqlite_keeps_what_it_acknowledged_and_holds_references(tmp_path: Path) -> None:
    """In a process of its own, as others here spare the disk."""
    program = f"""
from pathlib import Path
from sqlalchemy import text
from andon.store.database import Database, url_of
with Database(url_of(None, Path({str(tmp_path)!r}))).read() as connection:
    asked = ("journal_mode", "synchronous", "foreign_keys")
    print([connection.execute(text(f"PRAGMA {{name}}")).scalar_one() for name in asked])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['wal', 2, 1]"


@pytest.mark.parametrize(
    "url", ["mysql://host/x", "sqlite://", "sqlite:///:memory:", "andon.db", "", "sqlite:///a.db?mode=ro", "http://[x"]
)
def test_another_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"):
        Store.open(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "andon.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"andon.db cannot be used .*not a database.*from a backup"):
        Store.open(None, tmp_path)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used") as caught:
        Store.open("postgresql://ann:secret@127.0.0.1:1/andon", tmp_path)
    assert "secret" not in str(caught.value) and "ann:***@127.0.0.1:1/andon" in str(caught.value)


def test_a_database_that_is_locked_for_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("andon.store.database.SECONDS_TO_WAIT", 0.1)
    with Store.open(None, tmp_path) as store, closing(sqlite3.connect(tmp_path / "andon.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked"):
            store.inspections.add(NewInspection(row=drawn_row()))
