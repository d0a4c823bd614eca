"""What others do: versions that they activate in the database, deliveries that are given up, a clock that is set."""

from __future__ import annotations

import logging
import time
from collections import Counter

from andon.errors import StoreError
from andon.periodic import Periodic
from andon.server.clock import ClockWatch
from andon.server.desks import Desks
from andon.store import Store
from andon.store.outbox import receiver

LOG = logging.getLogger("andon")
EVERY = 1.0
COUNT_EVERY = 10.0
SECONDS_TO_END = 5


class Follower:
    """Looks into the database every second, in a thread of its own; loading a version holds up nobody."""

    def __init__(self, store: Store, desks: Desks) -> None:
        self._store = store
        self._desks = desks
        newest = store.inspections.page(limit=1).inspections
        self._clock = ClockWatch(newest[0].inspected_at if newest else None)
        for remark in self._clock.remarks:
            LOG.warning(remark)
        self._given_up: list[str] = []
        self._counted_at = -COUNT_EVERY
        self._periodic = Periodic("andon-follower", self._look, every=EVERY, at_once=False, patience=SECONDS_TO_END)

    @property
    def public_remarks(self) -> list[str]:
        """What anybody may know."""
        return self._clock.remarks

    @property
    def remarks(self) -> list[str]:
        """What whoever looks at the station should know, in sentences."""
        return [*self._desks.troubles, *self._given_up]

    def start(self) -> None:
        """Begin."""
        self._periodic.start()

    def stop(self) -> None:
        """End, and wait for that a moment; a version that is being loaded comes too late."""
        self._periodic.stop()

    def _look(self) -> None:
        if news := self._clock.look():
            LOG.warning(news)
        try:
            for sha256 in self._desks.follow():
                self._store.events.add("model", sha256)  # pages look again
            if time.monotonic() - self._counted_at >= COUNT_EVERY:
                self._given_up = _given_up(self._store)
                self._counted_at = time.monotonic()
        except StoreError as error:  # `Station.why_not_ready` says so
            LOG.debug(str(error))


def _given_up(store: Store) -> list[str]:
    counts: Counter[str] = Counter()
    for (kind, target, _), n in store.outbox.counts("dead").items():
        counts[receiver(kind, target)] += n
    return [
        f"{n} {'delivery' if n == 1 else 'deliveries'} to {name} {'was' if n == 1 else 'were'} given up; "
        "andon deliveries shows them."
        for name, n in sorted(counts.items())
    ]
