"""Inspections: written with all that belongs to them, read by filter in stable pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select

from andon.errors import InputError
from andon.rows import Cells
from andon.store import _events
from andon.store._finding import no_inspection
from andon.store._reading import FIGURES, WHOLE, conditions, judged, stored
from andon.store.database import Database
from andon.store.kept import note_kept
from andon.store.outbox import put
from andon.store.records import Added, Filter, Judged, NewDelivery, NewInspection, Page, StoredInspection
from andon.store.steady_clock import SteadyClock
from andon.store.tables import Inspections as Table
from andon.store.tables import Watched

ALL = Filter()
MAX_PAGE = 1000


class Inspections:
    """The inspections of a database."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        self._database = database
        self._clock = clock

    def add(self, new: NewInspection) -> Added:
        """Write an inspection, its deliveries, its event, its photo's entry and the file it came from, all or nothing.

        When this returns, all of it survives the process and, on SQLite, the machine's power.

        Raises:
            InputError: the inspection id is known already.
            StoreError: the database cannot be written.
        """
        return self.add_all([new])[0]

    def add_all(self, new: Sequence[NewInspection]) -> list[Added]:
        """Write several in one transaction, in their order: much faster than one by one.

        Raises:
            InputError: an inspection id is known already; then none is written.
            StoreError: the database cannot be written.
        """
        now, kept_at = datetime.now(UTC), self._clock.now()
        with self._database.write() as connection:
            return [_add(connection, one, now, kept_at) for one in new]

    def get(self, inspection_id: str) -> StoredInspection:
        """One inspection.

        Raises:
            NotFoundError: there is none of this id.
        """
        with self._database.read() as connection:
            found = connection.execute(select(*WHOLE).where(Table.inspection_id == inspection_id)).one_or_none()
        if found is None:
            raise no_inspection(inspection_id)
        return stored(found)

    def page(
        self, wanted: Filter = ALL, *, after: int | None = None, limit: int = 100, newest_first: bool = True
    ) -> Page:
        """Some inspections, in the order of their numbers. Pages stay as they are while inspections are added.

        Args:
            after: `next` of the page before.
            limit: 1 to 1,000; larger values count as 1,000.
        """
        limit = max(1, min(limit, MAX_PAGE))
        query = select(*WHOLE).where(*conditions(wanted)).limit(limit + 1)
        query = query.order_by(Table.number.desc() if newest_first else Table.number)
        if after is not None:
            query = query.where(Table.number < after if newest_first else Table.number > after)
        with self._database.read() as connection:
            found = [stored(one) for one in connection.execute(query)]
        return Page(tuple(found[:limit]), found[limit - 1].number if len(found) > limit else None)

    def pages(self, wanted: Filter = ALL, *, newest_first: bool = False) -> Iterator[Page]:
        """All pages, each of the largest size."""
        page = self.page(wanted, limit=MAX_PAGE, newest_first=newest_first)
        yield page
        while page.next is not None:
            page = self.page(wanted, after=page.next, limit=MAX_PAGE, newest_first=newest_first)
            yield page

    def each(self, wanted: Filter = ALL, *, newest_first: bool = False) -> Iterator[StoredInspection]:
        """All of them, page by page, so that memory does not grow with their number."""
        for page in self.pages(wanted, newest_first=newest_first):
            yield from page.inspections

    def judged(self, wanted: Filter = ALL, *, limit: int | None = None) -> list[Judged]:
        """The figures of many without their rows, oldest first; with a limit, those of the newest."""
        query = select(*FIGURES).where(*conditions(wanted)).order_by(Table.number.desc()).limit(limit)
        with self._database.read() as connection:
            return [judged(one) for one in connection.execute(query)][::-1]

    def counts(self, wanted: Filter = ALL) -> dict[str, int]:
        """How many there are of each verdict; verdicts without any are left out."""
        query = select(Table.verdict, func.count()).where(*conditions(wanted)).group_by(Table.verdict)
        with self._database.read() as connection:
            return dict(connection.execute(query).all())

    def overrides(self, wanted: Filter = ALL) -> dict[tuple[str, str], int]:
        """How many there are of each verdict and what the review that counts says, such as ("NG", "OK")."""
        query = select(Table.verdict, Table.reviewed_as, func.count()).where(
            *conditions(replace(wanted, reviewed=True))
        )
        with self._database.read() as connection:
            found = connection.execute(query.group_by(Table.verdict, Table.reviewed_as))
            return {(verdict, said or ""): count for verdict, said, count in found}

    def stations(self) -> list[str]:
        """The names of all stations, sorted."""
        found: list[str] = []
        least = select(func.min(Table.station))
        query = least
        with self._database.read() as connection:  # each is one step into the index, DISTINCT would read all of it
            while (name := connection.execute(query).scalar_one()) is not None:
                found.append(name)
                query = least.where(Table.station > name)
        return sorted(found)

    def last(self) -> int:
        """The largest number; 0 where there is no inspection."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(Table.number))).scalar_one() or 0


def _add(connection: Connection, new: NewInspection, now: datetime, kept_at: datetime) -> Added:
    row = new.row
    if new.watched is not None and (known := _of_content(connection, new.watched.folder, new.watched.sha256)):
        return known
    inspection_id = row["inspection_id"]
    if connection.execute(select(Table.number).where(Table.inspection_id == inspection_id)).first():
        raise InputError(f"The inspection {inspection_id} is in the database already; each is added once.")
    number = connection.execute(insert(Table).returning(Table.number), _columns(new)).scalar_one()
    if new.photo is not None:
        note_kept(connection, new.photo, kept_at)
    if new.watched is not None:
        file = new.watched
        values = {"folder": file.folder, "sha256": file.sha256, "path": file.path, "size": file.size}
        values |= {"modified_ns": file.modified_ns, "station": new.station, "inspection": number}
        connection.execute(insert(Watched), values)
    for delivery in new.deliveries:
        payload = json.dumps(row) if delivery.payload is None else delivery.payload
        put(connection, NewDelivery(kind=delivery.kind, target=delivery.target, payload=payload), now)
    _events.add(connection, "inspection", inspection_id, now)
    return Added(number, inspection_id, is_new=True)


def _columns(new: NewInspection) -> dict[str, object]:
    row = new.row
    return {
        "inspection_id": row["inspection_id"],
        "row": row,
        "verdict": row["verdict"],
        "score": row["score"],
        "part_id": row["part_id"],
        "station": new.station,
        "model_name": row["model"]["name"],
        "model_sha256": row["model"]["sha256"],
        "inspected_at": _time(row["inspected_at"]),
        "photo_sha256": row["sha256"],
        "measures": dict(new.measures),
        "review_rank": review_rank(row),
    }


def review_rank(row: Cells) -> float | None:
    """How soon a person should look at it among those of its verdict: the lower, the sooner. None: not at all.

    For review and NG it is how far the score is from the threshold, in shares of the threshold; for OK a number in
    [0, 1) that follows from the inspection id alone, so that those below 0.02 are a random sample of 2 %.
    """
    score, threshold = row["score"], row["threshold"]
    if row["verdict"] == "OK":
        return int.from_bytes(hashlib.sha256(row["inspection_id"].encode()).digest()[:6]) / 2**48
    if row["verdict"] in ("review", "NG") and score is not None and threshold is not None:
        return float(abs(score - threshold) / (abs(threshold) or 1.0))
    return None


def _of_content(connection: Connection, folder: str, sha256: str) -> Added | None:
    query = select(Table.number, Table.inspection_id).join(Watched, Watched.inspection == Table.number)
    found = connection.execute(query.where(Watched.folder == folder, Watched.sha256 == sha256)).one_or_none()
    return None if found is None else Added(found.number, found.inspection_id, is_new=False)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
