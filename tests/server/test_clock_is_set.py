"""The computer's clock is set while it serves: it is told, and nothing that depends on it stands still for ever."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clocks import Clock, clock
from serving import NG_PHOTO, PART, Served, Versions, served

from andon.server.access import SESSION_SECONDS, Access
from andon.server.clock import TOLD_FOR, ClockWatch
from andon.store import Store

__all__ = ["clock"]
RIGHT = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY, YEAR, HOUR = timedelta(days=1), timedelta(days=365), timedelta(hours=1)


def watched(newest: datetime | None = None, says: datetime = RIGHT) -> tuple[ClockWatch, list[float]]:
    """A watch over a clock that is ahead of `says` by the first number, after as many seconds as the second says."""
    state = [0.0, 0.0]
    computer = lambda: says + timedelta(seconds=sum(state))  # noqa: E731
    return ClockWatch(newest, computer=computer, seconds=lambda: state[1]), state


def test_a_clock_that_runs_is_no_news() -> None:
    watch, state = watched(RIGHT - HOUR)
    for second in range(100):
        state[:] = [0.1 * second, 60.0 * second]  # put right all the time
        assert watch.look() is None and watch.remarks == []


@pytest.mark.parametrize(
    ("step", "words"),
    [(YEAR, "set ahead by 365 days, to "), (-2 * HOUR, "set back by 2 hours, to "), (-90 * HOUR / 60, "by 90 min")],
)
def test_a_step_is_told_once_and_stands_as_long_as_it_matters(step: timedelta, words: str) -> None:
    watch, state = watched()
    state[:] = [step.total_seconds(), 1.0]
    assert words in (watch.look() or "") and watch.look() is None
    assert len(watch.remarks) == 1
    state[1] += min(TOLD_FOR, abs(step) if step < timedelta(0) else TOLD_FOR).total_seconds() + 1
    assert watch.remarks == []


def test_a_clock_that_is_behind_the_last_photo_is_told_from_the_start() -> None:
    watch, _ = watched(RIGHT + 3 * DAY)
    assert "3 days after what the clock of this computer says" in watch.remarks[0]


def test_photos_are_judged_and_told_of_whatever_the_clock_says(plain: Served, clock: Clock) -> None:
    """The counts of the shift, the rate and the lamp go by what came, not by photos that are dated in the future."""
    for ahead in (YEAR, -DAY, timedelta(0)):
        clock.ahead = ahead
        assert plain.inspect(NG_PHOTO).status_code == 200
        text = plain.client.get("/line/now").text
        assert re.search(r"<dt>NG</dt><dd>1 ", text) and re.search(r'id="rate">0.1<', text)
        assert float(re.findall(r'silent-for="([^"]*)"', text)[0]) < 60
    clock.ahead = -DAY
    waits = [float(re.findall(r'silent-for="([^"]*)"', plain.client.get("/line/now").text)[0]) for _ in range(3)]
    assert 0 <= waits[0] < waits[1] < waits[2] < 60
    assert len(list(plain.station.store.inspections.each())) == 3


def test_it_is_told_to_whoever_watches(tmp_path: Path, versions: Versions, clock: Clock) -> None:
    from receivers import wait_until

    with served(tmp_path, [PART]) as running:
        assert running.client.get("/readyz").json()["remarks"] == []
        clock.ahead = -DAY
        wait_until(lambda: running.client.get("/readyz").json()["remarks"])
        ready = running.client.get("/readyz")
        assert ready.status_code == 200 and "was set back by 24 hours" in ready.json()["remarks"][0]
        assert "was set back by 24 hours" in running.client.get("/models").text


@pytest.mark.parametrize(
    ("then", "now", "is_valid"),
    [
        (0, SESSION_SECONDS - 60, True),
        (0, SESSION_SECONDS + 60, False),
        (3600, 0, True),
        (10 * 365 * 86400, 0, False),
    ],
)
def test_a_session_does_not_last_longer_because_the_clock_was_wrong(
    tmp_path: Path, clock: Clock, then: int, now: int, is_valid: bool
) -> None:
    with Store.open(None, tmp_path) as store:
        secret = store.tokens.create("ann", ["review"])
        access = Access(store, tmp_path, may_be_open=False)
        clock.ahead = timedelta(seconds=then)
        cookie = access.log_in(secret)
        clock.ahead = timedelta(seconds=now)
        assert (access.of_cookie(cookie or "") is not None) == is_valid
