"""A station, and what people said of its photos."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from stations import Station, rusty, stamped

from andon.improving import Improvement, improve
from andon.line.pipeline import Pipeline
from andon.models.load import load
from andon.store import Store


@pytest.fixture(scope="session")
def inspecting(model: Path) -> Pipeline:
    """The model's file, loaded."""
    return load(model)


@pytest.fixture(scope="session")
def reviewed_data(inspecting: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of twelve stamped parts that people call OK, and four rusty ones that they call NG. Read only."""
    data = tmp_path_factory.mktemp("reviewed") / "data"
    with Store.open(None, data) as store:
        station = Station(store, data, inspecting)
        station.inspect_all((stamped(seed) for seed in range(400, 412)), "OK")
        station.inspect_all((rusty(seed) for seed in range(500, 504)), "NG")
    return data


@pytest.fixture(scope="session")
def improved(reviewed_data: Path, inspecting: Pipeline, model: Path) -> Improvement:
    """What comes of `reviewed_data`."""
    with Store.open(None, reviewed_data) as store:
        return improve(model, store, Station(store, reviewed_data, inspecting).photos)


@pytest.fixture
def station(inspecting: Pipeline, tmp_path: Path) -> Iterator[Station]:
    """A station where nothing was inspected yet."""
    with Store.open(None, tmp_path / "data") as store:
        yield Station(store, tmp_path / "data", inspecting)


@pytest.fixture
def reviewed(reviewed_data: Path, inspecting: Pipeline, tmp_path: Path) -> Iterator[Station]:
    """A station with `reviewed_data`."""
    data = shutil.copytree(reviewed_data, tmp_path / "data")
    with Store.open(None, data) as store:
        yield Station(store, data, inspecting)
