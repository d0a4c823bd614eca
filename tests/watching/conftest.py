"""A store, and a watcher that looks when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from new_store import new_store
from station_process import Eye

from andon.store import Store
from andon.watching import Folder, Watcher, afterwards
from andon.watching import folder as folder_module


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    return path


@pytest.fixture
def watcher(folder: Path, store: Store) -> Callable[..., Watcher]:
    """A watcher as after a restart; it needs no rest unless told."""

    def make(then: str = "leave", **options: Any) -> Watcher:
        after = afterwards(then, folder)
        defaults: dict[str, Any] = {"settle": 0.0, "patience": 0.0, "without": after.folder}
        return Watcher(Folder(folder, **(defaults | options)), store, Eye(store), afterwards=after, every=0.01)

    return make


@dataclass
class Clock:
    """The monotonic clock of watched folders.

    Attributes:
        now: in seconds.
    """

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(folder_module, "time", found)
    return found
