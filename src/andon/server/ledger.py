"""Writes what was judged. Nobody gets an answer before its row is in the database for good.

While one transaction is written, what is judged meanwhile waits and goes into the next one together: a disk takes as
long for many rows as for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

from andon.rows import Cells
from andon.server.desk import Answer, Job, Leave, take
from andon.store import NewDelivery, NewInspection, PhotoStore, Store
from andon.types import Failure, Inspection

MOST = 64

Deliveries = Callable[[Cells, str], Sequence[NewDelivery]]
"""What is to be sent because of a row of a station."""


def no_deliveries(row: Cells, station: str) -> Sequence[NewDelivery]:
    """Nothing is sent."""
    return ()


@dataclass(frozen=True)
class _Entry:
    job: Job
    new: NewInspection
    leave: Leave


class Ledger:
    """The one writer of inspections in this process.

    Args:
        wrote: is told the new rows after each transaction.
    """

    def __init__(
        self, store: Store, photos: PhotoStore, deliveries: Deliveries, wrote: Callable[[list[Cells]], None]
    ) -> None:
        self._store = store
        self._photos = photos
        self._deliveries = deliveries
        self._wrote = wrote
        self._entries: SimpleQueue[_Entry | None] = SimpleQueue()
        self._thread = Thread(target=self._write_what_is_there, name="andon-ledger", daemon=True)
        self._thread.start()

    def record(self, job: Job, judged: Inspection | Failure, leave: Leave) -> None:
        """Keep the photo, and have its row written and its answer given out.

        Args:
            leave: is called once it is done with.
        """
        row, incoming = judged.to_row(), job.incoming
        new = NewInspection(
            row=row,
            station=incoming.station,
            photo=self._photos.keep_or_tell(incoming.data, row["sha256"]) if row["sha256"] else None,
            deliveries=self._deliveries(row, incoming.station),
            watched=incoming.watched,
            measures=job.measures,
        )
        self._entries.put(_Entry(job, new, leave))

    def close(self) -> None:
        """Write what is there, and end."""
        self._entries.put(None)
        self._thread.join()

    def _write_what_is_there(self) -> None:
        while entries := take(self._entries, MOST):
            # from here on they cannot be dropped any more: their answers are waited for
            going = [entry for entry in entries if entry.job.answer.set_running_or_notify_cancel()]
            self._write(going)
            for entry in entries:
                entry.leave(entry.job)

    def _write(self, entries: list[_Entry]) -> None:
        if not entries:
            return
        try:
            added = self._store.inspections.add_all([entry.new for entry in entries])
        except Exception as error:
            for entry in entries:
                entry.job.answer.set_exception(error)
            return
        for entry, one in zip(entries, added, strict=True):
            entry.job.answer.set_result(Answer(entry.new.row, one))
        self._wrote([entry.new.row for entry, one in zip(entries, added, strict=True) if one.is_new])
