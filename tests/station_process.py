"""A station without a model, to be killed: `python station_process.py FOLDER DATA [WEBHOOK]`.

It watches the folder, inspects whatever is a photo, keeps its rows in the data folder, and posts them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from new_store import spare_the_disk

from andon.delivery import Deliverer, Webhook
from andon.images import sha256
from andon.store import NewDelivery, NewInspection, Store
from andon.types import Failure, Inspection
from andon.watching import Arrived, Folder, Watcher, Written

SECRET = b"0123456789abcdef"


class Eye:
    """An inspector that says OK of every photo.

    Args:
        seconds: that it takes for each.
    """

    def __init__(self, store: Store, deliveries: Sequence[NewDelivery] = (), seconds: float = 0.0) -> None:
        self._store = store
        self._deliveries = deliveries
        self._seconds = seconds

    def inspect(self, photos: Sequence[Arrived]) -> Iterator[Written]:
        for photo in photos:
            time.sleep(self._seconds)
            yield self._write(photo, verdict_on(photo))

    def fail(self, photo: Arrived, error: str) -> Written:
        return self._write(photo, Failure(photo.name, error))

    def _write(self, photo: Arrived, result: Inspection | Failure) -> Written:
        new = NewInspection(row=result.to_row(), deliveries=self._deliveries, watched=photo.watched)
        return Written(new.row, self._store.inspections.add(new))


def verdict_on(photo: Arrived) -> Inspection:
    """OK."""
    return Inspection(
        path=photo.name,
        sha256=sha256(photo.content),
        score=0.5,
        threshold=1.0,
        verdict="OK",
        p_value=0.5,
        sigma=0.0,
        confidence=0.0,
    )


def main(folder: Path, data: Path, url: str | None = None) -> None:
    """Until it is killed; each row's path is printed."""
    spare_the_disk()
    store = Store.open(None, data)
    webhooks = [Webhook(url, SECRET, ["127.0.0.1"], timeout=0.2)] if url else []
    deliverer = Deliverer(store, webhooks=webhooks)
    deliverer.start()
    eye = Eye(store, deliverer.deliveries(""), seconds=0.02)
    for row in Watcher(Folder(folder, settle=0.05), store, eye, every=0.05).rows():
        print(row["path"], flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
