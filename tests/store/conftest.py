"""Every test of a store runs on SQLite and on a PostgreSQL server that the tests start themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from databases import emptied

from andon.store import Store, schema
from andon.store.database import Database, url_of

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return emptied(request.getfixturevalue("own_postgres"))


@pytest.fixture
def url(empty_url: str, tmp_path: Path) -> str:
    """The URL of a database in the newest form, without entries."""
    with closing(Database(url_of(empty_url, tmp_path))) as database:
        schema.upgrade(database)
    return empty_url


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    with Store.open(url, tmp_path) as opened:
        yield opened
