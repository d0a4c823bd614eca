"""Everything that one process serves, without HTTP: photos in, rows out, written before they are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from PIL import UnidentifiedImageError

from andon import resources
from andon.errors import AndonError, ImageError, StoreError
from andon.images.depth import TIFF
from andon.images.pillow import blaming, open_header
from andon.line.pipeline import Pipeline
from andon.rows import Cells
from andon.server.desk import Answer, BusyError, Desk, Incoming, Job, TooLateError
from andon.server.desks import Desks
from andon.server.follower import Follower
from andon.server.hourly import Hourly
from andon.server.ledger import Deliveries, Ledger, no_deliveries
from andon.server.settings import Settings
from andon.store import PhotoStore, Store
from andon.store.housekeeping import Housekeeper

PAUSE = 0.05
MOST_REMEMBERED = 1000


class TooLargeError(AndonError):
    """A photo has more bytes than may be sent."""


class Helper(Protocol):
    """Something that works beside the server in threads of its own: what watches folders, what sends deliveries."""

    def start(self, station: Station) -> None:
        """Begin. The station is open; nothing may be waited for here."""

    def stop(self) -> None:
        """End, and return when the station will not be used any more."""


class Station:
    """A station: photos of parts come in, are judged, written and answered. Any thread may use it.

    Args:
        data: the folder for photos.
        models: files; see `Desks.open`.
        deliveries: what is to be sent because of a row.
        helpers: are started and stopped with the station.

    Attributes:
        is_draining: it is about to end and wants no more photos, although it still takes them.
        on_rows: each is told the rows that were written, from a thread; it may not wait.
    """

    def __init__(
        self,
        store: Store,
        data: Path,
        settings: Settings,
        *,
        deliveries: Deliveries = no_deliveries,
        helpers: Sequence[Helper] = (),
    ) -> None:
        self.store = store
        self.data = data
        self.settings = settings
        self.photos = PhotoStore(data)
        self.desks = Desks(store, self._desk)
        self.is_draining = False
        self.on_rows: list[Callable[[list[Cells]], None]] = []
        self._first_asked: dict[int, float] = {}
        self._pool = ThreadPoolExecutor(resources.cpus(), "andon-photo")
        self._ledger = Ledger(store, self.photos, deliveries, self._wrote)
        self._helpers = helpers
        self._hourly = Hourly(store, self.photos)
        self._follower = Follower(store, self.desks)
        self._housekeeper = Housekeeper(store, self.photos, keep_for=settings.keep_for, keep_bytes=settings.keep_bytes)

    def start(self, models: Sequence[Path]) -> None:
        """Load the models and begin.

        Raises:
            AndonError: a model cannot be used.
        """
        self.desks.open(models)
        self._hourly.start()
        self._follower.start()
        self._housekeeper.start()
        for helper in self._helpers:
            helper.start(self)

    def stop(self) -> None:
        """Finish what was taken, and end."""
        self.is_draining = True
        for helper in self._helpers:
            helper.stop()
        self._hourly.stop()
        self._follower.stop()
        self._housekeeper.stop()
        while any(desk.waiting for desk in self.desks.all()):
            time.sleep(PAUSE)
        self.desks.close()
        self._pool.shutdown()
        self._ledger.close()

    @property
    def keeps_photos(self) -> bool:
        """Whether the last photo was kept."""
        return self.photos.not_kept is None

    @property
    def public_remarks(self) -> list[str]:
        """What anybody may know of how the station is, in sentences."""
        found = [remark for remark in (self.photos.not_kept, self._hourly.missing) if remark]
        return [*found, *self._follower.public_remarks]

    @property
    def remarks(self) -> list[str]:
        """What whoever may look at its pages should know, in sentences."""
        return [*self.public_remarks, *self._follower.remarks]

    def why_not_ready(self) -> list[str]:
        """Why photos cannot be judged and written now, in sentences."""
        try:
            self.store.events.last()
        except StoreError as error:
            return [str(error)]
        return []

    def seconds_since(self, inspection: int) -> float:
        """How long this process has known of the inspection of this number at least, whatever the clock says."""
        if len(self._first_asked) >= MOST_REMEMBERED:
            self._first_asked.clear()
        now = time.monotonic()
        return now - self._first_asked.setdefault(inspection, now)

    def submit(self, incoming: Incoming, model: str | None = None, *, seconds: float | None = None) -> Job:
        """Take a photo; its answer comes with the job.

        Args:
            model: its name; None for the only one.
            seconds: until the photo is dropped; those of the settings unless given.

        Raises:
            BusyError: the model's queue is full.
            TooLargeError, ImageError: it has too many bytes or pixels, or is no photo; nothing is written.
            NotFoundError, InputError: see `Desks.of`.
        """
        desk = self.desks.of(model)
        check(incoming, self.settings)
        return desk.submit(incoming, time.monotonic() + (self.settings.deadline if seconds is None else seconds))

    def inspect(self, incoming: Incoming, model: str | None = None, *, seconds: float = 60) -> Answer:
        """Take a photo and wait for its answer; while the queue is full, wait for a place.

        Raises:
            TooLateError: it took longer; the photo is not written.
            AndonError: see `submit`.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                job = self.submit(incoming, model, seconds=until - time.monotonic())
                break
            except BusyError:
                if time.monotonic() > until:
                    raise
                time.sleep(PAUSE)
        try:
            return job.answer.result(until - time.monotonic())
        except TimeoutError:
            if not job.answer.cancel():  # it is being written
                return job.answer.result()
        except CancelledError:
            pass
        raise TooLateError(f"{incoming.name} was not judged within {seconds:g} s, and is dropped.")

    def _desk(self, name: str, pipeline: Pipeline) -> Desk:
        return Desk(name, pipeline, self._pool, self._ledger.record, self.settings.queue)

    def _wrote(self, rows: list[Cells]) -> None:
        for told in self.on_rows:
            told(rows)


def check(incoming: Incoming, settings: Settings) -> None:
    """See that it is a photo and not too large, before it is decoded.

    Raises:
        TooLargeError: it has too many bytes.
        ImageError: it has too many pixels, or is no photo.
    """
    size, name = len(incoming.data), Path(incoming.name)
    if size > settings.max_bytes:
        raise TooLargeError(
            f"{name} has {size / 1e6:.1f} MB, but a photo may have {settings.max_bytes / 1e6:.1f} MB; save it smaller."
        )
    if not size:
        raise ImageError("The request's body is empty; send the bytes of a photo's file.")
    with blaming(incoming.data, name):
        try:
            width, height = open_header(incoming.data).size
        except UnidentifiedImageError:
            if not incoming.data.startswith(TIFF):  # of which Andon reads more kinds than Pillow
                raise
            return
    if width * height > settings.max_megapixels * 1e6:
        raise ImageError(
            f"{name} is {width} x {height} pixels, but a photo may have {settings.max_megapixels:g} megapixels; "
            "reduce it."
        )
