"""Which photos are kept, and which may go: by age and by total size, never what was reviewed or is golden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, exists, func, insert, select, tuple_, update

from andon.store._reading import IS_GOLDEN
from andon.store.database import Database
from andon.store.photos import PhotoStore
from andon.store.records import KeptPhoto
from andon.store.steady_clock import SteadyClock
from andon.store.tables import Inspections, Photos

BATCH = 100
JUST_KEPT = timedelta(hours=1)
"""So young a photo never goes: it may belong to an inspection that is not written yet."""

Place = tuple[datetime, str]
"""Among photos in the order of their time, then of their hash."""
BEGINNING: Place = (datetime.min.replace(tzinfo=UTC), "")
IN_A_QUESTION = 500

IS_NEEDED = exists().where(Inspections.photo_sha256 == Photos.sha256, Inspections.reviewed_as.is_not(None) | IS_GOLDEN)


@dataclass(frozen=True)
class Found:
    """A photo in the folder, and since when it lies there."""

    photo: KeptPhoto
    at: datetime


@dataclass(frozen=True)
class Amount:
    """So many photos, of so many bytes in all."""

    photos: int = 0
    bytes: int = 0


class Kept:
    """What the database knows of the photos that are kept."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        self._database = database
        self._clock = clock

    def amount(self) -> Amount:
        """How much is kept."""
        with self._database.read() as connection:
            return _amount(connection)

    def missing(self, photos: PhotoStore) -> str | None:
        """What to say where some of the newest photos that the database knows are not in the folder; else None.

        Most likely several stations share the database, but not the folder.
        """
        query = select(Photos.sha256).order_by(Photos.kept_at.desc()).limit(BATCH)
        with self._database.read() as connection:
            newest = connection.execute(query).scalars().all()
        gone = sum(not photos.has(sha256) for sha256 in newest)
        if not gone:
            return None
        return (
            f"{gone} of the newest {len(newest)} photos that the database knows are not in {photos.folder}, so they "
            "cannot be shown here; give all stations of one database the same --data, on a share."
        )

    def sweep(
        self,
        photos: PhotoStore,
        *,
        max_age: timedelta | None = None,
        max_bytes: int | None = None,
        now: datetime | None = None,
    ) -> Amount:
        """Remove photos that are older than `max_age`, then the oldest until all are `max_bytes` or less.

        A photo that was reviewed or is in the golden set stays, and so does one of the last hour, even where that
        means more than `max_bytes`. The rows of the inspections stay in any case.

        Returns:
            What was removed.

        Raises:
            OSError: a file cannot be removed.
        """
        now = now or self._clock.at_least()
        removed = Amount()
        after: Place | None = BEGINNING
        while after is not None:
            excess = 0 if max_bytes is None else self.amount().bytes - max_bytes
            if max_age is None and excess <= 0:
                break
            with self._database.write() as connection:  # nobody reviews a photo while it is removed
                gone, after = _remove_some(connection, photos, max_age, excess, now, after)
            removed = Amount(removed.photos + gone.photos, removed.bytes + gone.bytes)
        return removed

    def note(self, found: Sequence[Found]) -> int:
        """Write that these photos are kept, those that are known already apart, and say how many were not known."""
        with self._database.read() as connection:  # mostly all are known, and looking disturbs nobody
            unknown = _unknown(connection, found)
        if not unknown:
            return 0
        with self._database.write() as connection:
            unknown = _unknown(connection, unknown)
            values = [{"sha256": one.photo.sha256, "size": one.photo.size, "kept_at": one.at} for one in unknown]
            if values:
                connection.execute(insert(Photos), values)
        return len(unknown)


def last_kept(database: Database) -> datetime | None:
    """When the newest photo was kept; None where there is none."""
    with database.read() as connection:
        return connection.execute(select(func.max(Photos.kept_at))).scalar_one()


def note_kept(connection: Connection, photo: KeptPhoto, now: datetime) -> None:
    """Write that it is kept, in the transaction of its inspection; a photo that comes again counts as new."""
    known = update(Photos).where(Photos.sha256 == photo.sha256).values(kept_at=now)
    if not connection.execute(known).rowcount:
        connection.execute(insert(Photos), {"sha256": photo.sha256, "size": photo.size, "kept_at": now})


def _amount(connection: Connection) -> Amount:
    photos, size = connection.execute(select(func.count(), func.coalesce(func.sum(Photos.size), 0))).one()
    return Amount(photos, int(size))  # PostgreSQL adds up to a Decimal


def _unknown(connection: Connection, found: Sequence[Found]) -> list[Found]:
    names = [one.photo.sha256 for one in found]
    known: set[str] = set()
    for begin in range(0, len(names), IN_A_QUESTION):
        query = select(Photos.sha256).where(Photos.sha256.in_(names[begin : begin + IN_A_QUESTION]))
        known.update(connection.execute(query).scalars())
    return [one for one in found if one.photo.sha256 not in known]


def _remove_some(
    connection: Connection,
    photos: PhotoStore,
    max_age: timedelta | None,
    excess: int,
    now: datetime,
    after: Place,
) -> tuple[Amount, Place | None]:
    """One batch of the oldest above `after`, and where the next one begins; None where nothing is left to remove.

    The file goes first: if the process ends there, the entry goes with the next sweep.
    """
    young = now - JUST_KEPT
    query = select(Photos.sha256, Photos.size, Photos.kept_at).where(Photos.kept_at < young, ~IS_NEEDED)
    query = query.where(tuple_(Photos.kept_at, Photos.sha256) > after)
    n, size = 0, 0
    some = connection.execute(query.order_by(Photos.kept_at, Photos.sha256).limit(BATCH)).all()
    for photo in some:
        is_old = max_age is not None and photo.kept_at < now - max_age
        if not is_old and size >= excess:
            return Amount(n, size), None
        this = Photos.sha256 == photo.sha256
        if photos.remove(photo.sha256, kept_before=young, now=max(now, datetime.now(UTC))):
            connection.execute(delete(Photos).where(this))
            n, size = n + 1, size + photo.size
        else:
            connection.execute(update(Photos).where(this).values(kept_at=now))
    return Amount(n, size), (some[-1].kept_at, some[-1].sha256) if len(some) == BATCH else None
