"""Whether the computer's clock was set, or differs from what the photos in the database say."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from andon.store.steady_clock import computers

LEAST = timedelta(minutes=1)
"""A smaller step is no news: clocks are put right all the time."""
TOLD_FOR = timedelta(days=1)
MINUTE, HOUR, DAY = 60, 3600, 86400


def _seconds() -> float:
    """That have passed since the computer was started, asleep or awake."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def moment(wall: datetime) -> datetime:
    """When the clock on the wall shows this, the first time where it does twice; of an hour that daylight saving time
    skips, as if it had not. `astimezone` would take that one for an hour earlier.

    Args:
        wall: by the server's clock, unless it has a zone.
    """
    return datetime.fromtimestamp(wall.timestamp(), UTC).astimezone()


class ClockWatch:
    """Notices steps of the computer's clock. To be asked every second or so, by one thread.

    Args:
        newest: when the newest photo in the database was inspected; None where there is none.
        computer: the computer's clock.
        seconds: that have passed since some moment, and that nobody can set.
    """

    def __init__(
        self,
        newest: datetime | None,
        *,
        computer: Callable[[], datetime] = computers,
        seconds: Callable[[], float] = _seconds,
    ) -> None:
        self._computer = computer
        self._seconds = seconds
        self._began = self._beginning()
        self._until: datetime | None = None
        self._told_until = 0.0
        self._sentence = ""
        if newest is not None and newest - computer() >= LEAST:
            self._tell(
                f"The newest photo is dated {_at(newest)}, {_long(newest - computer())} after what the clock of this "
                "computer says: one of them is wrong.",
                newest,
            )

    def look(self) -> str | None:
        """Look, and return what is new, in one sentence; None where nothing is."""
        began = self._beginning()
        step, self._began = began - self._began, began
        now = self._computer()
        if abs(step) >= LEAST:
            which = "set back" if step < timedelta(0) else "set ahead"
            self._tell(
                f"The clock of this computer was {which} by {_long(abs(step))}, to {_at(now)}.",
                now - step if step < timedelta(0) else None,
            )
            return self._sentence
        return None

    @property
    def remarks(self) -> list[str]:
        """What whoever looks at the station should know, in sentences, as long as it matters."""
        now = self._computer()
        is_over = self._seconds() > self._told_until or (self._until is not None and now >= self._until)
        return [] if not self._sentence or is_over else [self._sentence]

    def _tell(self, what: str, until: datetime | None) -> None:
        wrong = "Times, the counts of the shift and the days on Drift may be wrong because of it; see that it is right."
        self._sentence = f"{what} {wrong}"
        self._until = until
        self._told_until = self._seconds() + TOLD_FOR.total_seconds()

    def _beginning(self) -> datetime:
        """What the clock would have said at the moment that the seconds are counted from."""
        return self._computer() - timedelta(seconds=self._seconds())


def _at(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"


def _long(step: timedelta) -> str:
    seconds = step.total_seconds()
    for unit, name in ((DAY, "days"), (HOUR, "hours")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / MINUTE:.0f} min"
