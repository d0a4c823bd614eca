"""Forty photos, inspected in this process unless a test wants workers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import plate_photos
import pytest
from conftest import Command, Ran

from andon import images
from andon.batch.run import ENGINES
from andon.line.pipeline import Pipeline
from andon.models.load import load


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty photos in two folders, eight of them rusty. Read only."""
    folder = tmp_path_factory.mktemp("photos")
    plate_photos.write_parts(folder / "monday", range(200, 232))
    (folder / "monday" / "notes.txt").write_text("no photo")
    for seed in range(300, 308):
        images.write(folder / "tuesday" / f"{seed}.png", plate_photos.rusty(seed)[0])
    return folder


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The summary page, which has tests of its own, is not drawn."""
    monkeypatch.setattr("andon.batch.summary.write_summary", lambda *args: "not drawn")


@pytest.fixture(scope="session")
def load_once() -> Callable[..., Pipeline]:
    """`load`, for all tests."""
    return cache(load)


@pytest.fixture
def batch(
    andon_: Command,
    exported: Path,
    tmp_path: Path,
    no_page: None,
    load_once: Callable[..., Pipeline],
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    """`andon batch` into the folder "out" of the test's folder, in this process, with models that were read before."""
    monkeypatch.setitem(ENGINES, "local", "batches")
    monkeypatch.setattr("andon.models.load.load", load_once)
    monkeypatch.setattr("andon.batch.shard.load_model", lambda place, manifest: load_once(exported, precision="f32"))

    def run(source: object, *words: object, model: Path = exported) -> Ran:
        return andon_("batch", model, source, "-o", tmp_path / "out", *words)

    return run
