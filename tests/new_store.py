"""A store of its own for a test, without making the tables anew for each."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from andon.store import Store, database

FILE = "andon.db"


def spare_the_disk() -> None:
    """Stores of this process do not wait for the disk: what a killed process wrote is there all the same."""
    database.PRAGMAS = ("journal_mode = WAL", "synchronous = OFF")


def new_store(data: Path) -> Store:
    """An empty store in the data folder, which is made."""
    spare_the_disk()
    data.mkdir()
    (data / FILE).write_bytes(_empty())
    return Store.open(None, data)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Store.open(None, Path(folder)).close()
        return (Path(folder) / FILE).read_bytes()
