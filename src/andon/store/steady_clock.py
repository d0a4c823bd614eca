"""A clock for what goes with age: nothing may go too early because the computer's own clock is set, or was wrong.

It follows the computer's clock, but by small steps, and never goes back. So a clock that jumps ahead by a year makes no
photo a year older; and one that wakes up in 1970 gives no photo an age that it does not have once it is right again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

SWITCHED_OFF = timedelta(days=7)
"""So long a station may have been switched off without its photos becoming any younger by it."""
SLOWEST = 0.5
FASTEST = 2.0
"""It runs at so many times the usual speed, to come up to the computer's clock, or to let that come up."""


def computers() -> datetime:
    """What the computer's clock says."""
    return datetime.now(UTC)


class SteadyClock:
    """Runs at its own pace towards the computer's clock. Threads may share it.

    Args:
        last: a time that it knows of from an earlier process; None where there is none.
        computer: the computer's clock.
        seconds: that have passed since some moment, and that nobody can set.
    """

    def __init__(
        self,
        last: datetime | None = None,
        *,
        computer: Callable[[], datetime] = computers,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._computer = computer
        self._seconds = seconds
        self._looked_at = seconds()
        says = computer()
        self._time = says if last is None else min(max(says, last), last + SWITCHED_OFF)
        self._looking = Lock()

    def now(self) -> datetime:
        """For what begins to age now: never before what it said earlier."""
        with self._looking:
            looked_at = self._seconds()
            passed = timedelta(seconds=looked_at - self._looked_at)
            behind = self._computer() - self._time
            self._time += min(max(behind, SLOWEST * passed), FASTEST * passed)
            self._looked_at = looked_at
            return self._time

    def at_least(self) -> datetime:
        """For what may have become old enough to go: no later than what the computer's clock says, too."""
        return min(self.now(), self._computer())
