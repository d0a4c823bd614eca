"""A station, and what people said of its photos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stations import Station, rusty, stamped

from andon.models.load import load
from andon.store import Store


@pytest.fixture
def station(model: Path, tmp_path: Path) -> Iterator[Station]:
    """A station where nothing was inspected yet."""
    with Store.open(None, tmp_path / "data") as store:
        yield Station(store, tmp_path / "data", load(model))


@pytest.fixture
def reviewed(station: Station) -> Station:
    """Twelve stamped parts that people call OK, and four rusty ones that they call NG."""
    station.inspect_all((stamped(seed) for seed in range(400, 412)), "OK")
    station.inspect_all((rusty(seed) for seed in range(500, 504)), "NG")
    return station
