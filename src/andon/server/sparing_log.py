"""A log that says the same thing once a minute, however often it happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

EVERY = 60.0
MOST = 100


class SparingLog:
    """Logs a sentence at once, and the same one again a minute later at the earliest, with how often it came meanwhile.

    While a database is away, each photo that a client sends again fails with the same sentence. Any thread may log.

    Args:
        now: seconds that never go back.
    """

    def __init__(self, log: logging.Logger, now: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._now = now
        self._lock = Lock()
        self._said: dict[str, tuple[float, int]] = {}
        """When each sentence was logged, and how often it was not since."""

    def error(self, sentence: str) -> None:
        """Log it, or count it."""
        with self._lock:
            now = self._now()
            said_at, unsaid = self._said.get(sentence, (now - EVERY, 0))
            if now - said_at < EVERY:
                self._said[sentence] = (said_at, unsaid + 1)
                return
            if len(self._said) >= MOST:
                self._said.clear()
            self._said[sentence] = (now, 0)
        self._log.error(f"{sentence} (Times it came since it was last logged: {unsaid}.)" if unsaid else sentence)
