"""One drawn data set and one model for all tests, and a tiny backbone of random weights."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # the hub's client reads it when it is imported
os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a GPU has another scorer
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests themselves run side by side; torch reads it likewise

import plate_photos
import pytest
import torch
from databases import own_postgres, postgres
from torch import Tensor, nn

from andon.backbones import Backbone
from andon.cli import main
from andon.export.export import export
from andon.line.pipeline import Pipeline
from andon.models.save import save
from andon.models.taught import Taught
from andon.teaching.train import train

__all__ = ["own_postgres", "postgres"]

STATION = ("delivery", "improving", "server", "store", "watching")
"""Rooms of tests that start servers, browsers and databases."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of the whole suite, what `-m` leaves out anyway is not even imported: that takes seconds in each process."""
    chosen = config.getoption("markexpr")
    if config.getoption("file_or_dir"):
        return None
    if collection_path.name.startswith("test_ray"):
        return "not ray" in chosen or None
    return (
        collection_path.parent == Path(__file__).parent and collection_path.name in STATION and "not station" in chosen
    ) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what belongs to the station, and what starts Ray clusters."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in STATION:
            item.add_marker(pytest.mark.station)
        if item.path.name.startswith("test_ray"):
            item.add_marker(pytest.mark.ray)


class TinyBackbone(Backbone):
    """Random convolutions at strides 8 and 16, the same ones every time."""

    def __init__(self) -> None:
        super().__init__((8, 12), (8, 16))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.at8 = nn.Conv2d(3, 8, 8, stride=8)
            self.at16 = nn.Conv2d(3, 12, 16, stride=16)
        self.freeze()

    def features(self, x: Tensor) -> list[Tensor]:
        return [torch.relu(self.at8(x)), torch.relu(self.at16(x))]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled networks do not go into the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return TinyBackbone()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 photos to learn from, 6 to calibrate, 2 OK and 2 rusty ones to test. Read only."""
    return plate_photos.write_data(tmp_path_factory.mktemp("data") / "plates")


@pytest.fixture(scope="session")
def taught(data: Path) -> Taught:
    """A model of `data`."""
    return train(data, settings=plate_photos.FAST)


@pytest.fixture(scope="session")
def pipeline(taught: Taught) -> Pipeline:
    """What inspects with the model of `data`."""
    return taught.pipeline


@pytest.fixture(scope="session")
def model(taught: Taught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of `taught`. Read only."""
    path = tmp_path_factory.mktemp("model") / "plates.safetensors"
    save(taught, path)
    return path


@pytest.fixture(scope="session")
def exported(taught: Taught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`taught`, exported: a process that inspects with it imports no torch, which takes seconds. Read only."""
    out = tmp_path_factory.mktemp("exported") / "plates.andon"
    export(taught, out, keep_photos=False)
    return out


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are empty files: drawing them is most of the work of a report, whose plots have tests of their own."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **options: file.write(b"<svg/>"))


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def andon_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the program with these words, as its entry point does, errors and exit codes included."""

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["andon", *map(str, words)])
        capsys.readouterr()
        with warnings.catch_warnings():
            code = main()
        logging.captureWarnings(False)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run
