"""A server with one model of numpy alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import browser, person, somebody_else
from serving import PART, Served, Versions, served, versions

__all__ = ["browser", "person", "somebody_else", "versions"]


@pytest.fixture
def plain(tmp_path: Path, versions: Versions) -> Iterator[Served]:
    """A server without tokens."""
    with served(tmp_path, [PART]) as running:
        yield running
