"""What a station does once an hour: it sums up days that are over, and sees that the kept photos are there."""

from __future__ import annotations

import logging
from datetime import datetime

from andon.errors import AndonError
from andon.periodic import Periodic
from andon.server.daybook import sum_up
from andon.store import PhotoStore, Store

LOG = logging.getLogger("andon")
EVERY = 3600.0
SECONDS_TO_END = 20


class Hourly:
    """Does it in a thread of its own, at once and then every hour.

    Attributes:
        missing: what to say where photos that the database knows are not there; None where they are.
    """

    def __init__(self, store: Store, photos: PhotoStore) -> None:
        self.missing: str | None = None
        self._store = store
        self._photos = photos
        self._periodic = Periodic("andon-hourly", self._look, every=EVERY, patience=SECONDS_TO_END)

    def start(self) -> None:
        """Begin.

        Raises:
            StoreError: the database cannot be used.
        """
        self._look_for_photos()
        self._periodic.start()

    def stop(self) -> None:
        """End; days that are not summed up yet are next time."""
        self._periodic.stop()

    def _look(self) -> None:
        try:
            for _ in sum_up(self._store, datetime.now().astimezone().date()):
                if self._periodic.is_stopping:
                    return
        except AndonError as error:
            LOG.error(f"Days that are over could not be summed up: {error}")
        try:
            self._look_for_photos()
        except AndonError as error:
            LOG.error(f"Kept photos could not be looked for: {error}")

    def _look_for_photos(self) -> None:
        missing = self._store.kept.missing(self._photos)
        if missing and missing != self.missing:  # what lasts is told once
            LOG.warning(missing)
        self.missing = missing
