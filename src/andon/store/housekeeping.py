"""Keeps house beside what inspects: photos that nobody needs any more go, and old events are forgotten."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from andon.errors import AndonError
from andon.periodic import Periodic
from andon.store import strays
from andon.store.photos import PhotoStore
from andon.store.store import Store

LOG = logging.getLogger("andon")
EVERY = 300.0
"""Seconds between two rounds."""
STRAYS_EVERY = 86_400.0
"""Seconds between two searches for photos without an entry, which look at all files."""
EVENTS_KEPT = timedelta(days=30)
SECONDS_TO_END = 10


class Housekeeper:
    """Makes a round at once, then every five minutes, in a thread of its own.

    Args:
        keep_for: how long photos are kept; None for ever.
        keep_bytes: how many bytes of photos are kept; None for as many as the disk takes.
    """

    def __init__(self, store: Store, photos: PhotoStore, *, keep_for: timedelta | None, keep_bytes: int | None) -> None:
        self._store = store
        self._photos = photos
        self._keep_for = keep_for
        self._keep_bytes = keep_bytes
        self._strays_at = -STRAYS_EVERY
        self._was_too_much = False
        self._trouble = ""
        self._periodic = Periodic("andon-housekeeping", self._try_a_round, every=EVERY, patience=SECONDS_TO_END)

    def start(self) -> None:
        """Begin."""
        self._periodic.start()

    def stop(self) -> None:
        """End; a round that is under way ends at its next step."""
        self._periodic.stop()

    def make_round(self) -> None:
        """Do once what is due.

        Raises:
            AndonError, OSError: it cannot be done now.
        """
        now = time.monotonic()
        if now - self._strays_at >= STRAYS_EVERY:
            self._take_in_strays()
            self._strays_at = now
        removed = self._store.kept.sweep(self._photos, max_age=self._keep_for, max_bytes=self._keep_bytes)
        if removed.photos:
            size = f"{removed.bytes / 1e9:.2f} GB"
            LOG.info(f"{removed.photos} kept photos ({size}) were removed, as --keep-days and --keep-gb say.")
        self._store.events.forget(self._store.clock.at_least() - EVENTS_KEPT)
        self._say_where_too_much()

    def _try_a_round(self) -> None:
        try:
            self.make_round()
            self._trouble = ""
        except (AndonError, OSError) as error:
            if self._trouble != str(error):  # one that lasts is told once
                LOG.warning(f"Old photos cannot be removed now: {error}")
            self._trouble = str(error)

    def _take_in_strays(self) -> None:
        if not strays.is_alone(self._store, self._photos):
            LOG.warning(
                f"Several databases keep photos in {self._photos.folder}, so photos that none of them knows stay "
                f"there; the file {strays.DATABASES} in it names them."
            )
            return
        found = 0
        for n in strays.take_in(self._store, self._photos):
            found += n
            if self._periodic.is_stopping:
                return
        if found:
            LOG.info(f"{found} kept photos have no row, as after a kill; they go in time, as others that nobody needs.")

    def _say_where_too_much(self) -> None:
        """Once, as long as it lasts."""
        most = self._keep_bytes
        size = 0 if most is None else self._store.kept.amount().bytes
        is_too_much = most is not None and size > most
        if is_too_much and not self._was_too_much:
            LOG.warning(
                f"The kept photos take {size / 1e9:.2f} GB, more than --keep-gb: what is left was reviewed, is in the "
                "golden set or came within the last hour."
            )
        self._was_too_much = is_too_much
