"""A computer's clock for tests, which can be set while all else goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace

import pytest


@dataclass
class Clock:
    """Attributes:
    ahead: of the right time.
    """

    ahead: timedelta = timedelta(0)


@contextmanager
def time_zone(name: str) -> Iterator[None]:
    """That of this computer, within the block."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", name)
            time.tzset()
            yield
    finally:
        time.tzset()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What Andon takes for the computer's clock. Seconds that merely pass are not touched."""
    found = Clock()
    set_time = SimpleNamespace(**vars(time) | {"time": lambda: time.time() + found.ahead.total_seconds()})

    class Set(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + found.ahead

    for name, module in list(sys.modules.items()):
        if name.startswith("andon."):
            for attribute, real, stand_in in (("datetime", datetime, Set), ("time", time, set_time)):
                if getattr(module, attribute, None) is real:
                    monkeypatch.setattr(module, attribute, stand_in)
    return found
