"""Tasks in this process."""

from __future__ import annotations

import logging

import engine_tasks
import pytest

from andon import engines, progress
from andon.errors import ConfigError, ImageError


def test_results_come_in_order_and_what_is_said_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    with engines.opened("local") as engine:
        assert list(engine.map(engine_tasks.times, range(10), 3)) == list(range(0, 30, 3))
    assert caplog.messages == ["seven was here"]


def test_errors_come_as_they_are() -> None:
    with engines.opened("local") as engine, pytest.raises(ImageError, match=r"^3 is no photo\.$"):
        list(engine.map(engine_tasks.refuse, range(10), None))


def test_a_task_does_not_tell_of_its_own_steps(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)

    def task(item: int, nothing: None) -> int:
        with progress.measured("within") as tell:
            tell(0.5, "half")
        return len(list(progress.track(range(3), "within", 3)))

    with caplog.at_level(logging.INFO, "andon"), engines.opened("local") as engine:
        assert list(engine.map(task, range(2), None)) == [3, 3]
        list(progress.track(range(1), "without", 1))
    assert caplog.messages == ["100% of all, without: 1 of 1"] or caplog.messages[0].startswith("without")


@pytest.mark.parametrize(
    ("name", "address", "says"),
    [("spark", None, "no engine 'spark'; choose one of local, ray"), ("local", "head:6379", "has no address")],
)
def test_what_is_no_engine_is_refused(name: str, address: str | None, says: str) -> None:
    with pytest.raises(ConfigError, match=says), engines.opened(name, address):
        pass
