"""A station, and what people said of its photos."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from stations import Station, inspecting, reviewed_data

from andon.improving import Improvement, improve
from andon.line.pipeline import Pipeline
from andon.store import Store

__all__ = ["inspecting", "reviewed_data"]


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
