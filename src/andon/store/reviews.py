"""Reviews: what people say of inspections, and who looks at which one."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, insert, select, update

from andon.store import _events
from andon.store._finding import number_of
from andon.store._reading import IS_KEPT, WHOLE, conditions, stored
from andon.store.database import Database
from andon.store.records import Filter, Judgement, Review, StoredInspection
from andon.store.tables import Claims, Inspections
from andon.store.tables import Reviews as Table

LEASE = timedelta(minutes=5)
OK_SHARE = 0.02
DOUBTFUL = ("review", "NG", "OK")
"""The verdicts that are looked at, in this order."""

ALL = Filter()
COLUMNS = (
    Table.number,
    Inspections.inspection_id,
    Table.verdict,
    Table.note,
    Table.by,
    Table.at,
    Table.undone_at,
    Table.undone_by,
)


class Reviews:
    """The reviews of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, inspection_id: str, verdict: Judgement, *, by: str, note: str = "") -> Review:
        """Say of an inspection what the part is. The latest review counts; those before stay in the history.

        Raises:
            NotFoundError: there is no such inspection.
        """
        now = datetime.now(UTC)
        with self._database.write() as connection:
            number = number_of(connection, inspection_id)
            values = {"inspection": number, "verdict": verdict, "note": note, "by": by, "at": now}
            review = connection.execute(insert(Table).returning(Table.number), values).scalar_one()
            connection.execute(delete(Claims).where(Claims.inspection == number))
            _let_latest_count(connection, number)
            _events.add(connection, "review", inspection_id, now)
            return _get(connection, review)

    def undo(self, inspection_id: str, *, by: str) -> Review | None:
        """Take back the review that counts; the one before it, if there is one, counts again.

        Returns:
            The review that was taken back; None where none counted.

        Raises:
            NotFoundError: there is no such inspection.
        """
        now = datetime.now(UTC)
        with self._database.write() as connection:
            number = number_of(connection, inspection_id)
            latest = connection.execute(_latest(number)).one_or_none()
            if latest is None:
                return None
            connection.execute(update(Table).where(Table.number == latest.number).values(undone_at=now, undone_by=by))
            _let_latest_count(connection, number)
            _events.add(connection, "review", inspection_id, now)
            return _get(connection, latest.number)

    def of(self, inspection_id: str) -> list[Review]:
        """Its history, newest first, with what was taken back.

        Raises:
            NotFoundError: there is no such inspection.
        """
        with self._database.read() as connection:
            number = number_of(connection, inspection_id)
            query = _reviews().where(Table.inspection == number).order_by(Table.number.desc())
            return [Review(**found._mapping) for found in connection.execute(query)]

    def that_count(self, inspection_ids: Sequence[str]) -> dict[str, Review]:
        """The review that counts of each of these that has one, by inspection id; give at most 10,000."""
        query = _reviews().where(Inspections.inspection_id.in_(inspection_ids), Table.undone_at.is_(None))
        with self._database.read() as connection:
            found = connection.execute(query.order_by(Table.number))
            return {one.inspection_id: Review(**one._mapping) for one in found}  # the latest of each stays

    def last_by(self, by: str) -> Review | None:
        """The latest review of this person that was not undone: what the key for undo is about."""
        query = _reviews().where(Table.by == by, Table.undone_at.is_(None)).order_by(Table.number.desc()).limit(1)
        with self._database.read() as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None else Review(**found._mapping)

    def next_to_review(
        self,
        by: str,
        *,
        limit: int = 1,
        wanted: Filter = ALL,
        skip: Collection[str] = (),
        ok_share: float = OK_SHARE,
        lease: timedelta = LEASE,
        now: datetime | None = None,
    ) -> list[StoredInspection]:
        """What this person should look at next, the most doubtful first; nobody else gets it before `lease` is over.

        First the verdict review, then NG, both from the score that is nearest to the threshold, then a random sample
        of OK. Only of photos that are still kept, and without a review. What `by` holds already comes again, and its
        lease begins again.

        Args:
            by: who looks; two windows of one person need two names to get different photos.
            wanted: which inspections at all.
            skip: inspection ids that this person does not want now; they are free for others.
            ok_share: the share of the OK photos that is looked at, 0 to 1.
        """
        now = now or datetime.now(UTC)
        free = [
            *conditions(wanted),
            ~exists().where(Claims.inspection == Inspections.number),
        ]
        if skip:
            free.append(Inspections.inspection_id.not_in(list(skip)))
        with self._database.write() as connection:
            _end_claims(connection, by, lease, now)
            found: list[StoredInspection] = []
            for verdict in DOUBTFUL:
                found += _most_doubtful(connection, verdict, free, ok_share, limit - len(found))
            if found:
                claims = [{"inspection": one.number, "by": by, "until": now + lease} for one in found]
                connection.execute(insert(Claims), claims)
        return found

    def hold(self, inspection_id: str, by: str, *, lease: timedelta = LEASE, now: datetime | None = None) -> None:
        """This person looks at this one, and at nothing else. Nobody else gets it, unless they have it already.

        Raises:
            NotFoundError: there is no such inspection.
        """
        now = now or datetime.now(UTC)
        with self._database.write() as connection:
            number = number_of(connection, inspection_id)
            _end_claims(connection, by, lease, now)
            if connection.execute(select(Claims.by).where(Claims.inspection == number)).first() is None:
                connection.execute(insert(Claims), {"inspection": number, "by": by, "until": now + lease})

    def release(self, by: str) -> None:
        """This person looks at nothing any more."""
        with self._database.write() as connection:
            connection.execute(delete(Claims).where(Claims.by == by))

    def waiting(self, wanted: Filter = ALL, *, ok_share: float = OK_SHARE) -> dict[str, int]:
        """How many are to be looked at, by verdict; those that somebody looks at now included."""
        found = {}
        with self._database.read() as connection:
            for verdict in DOUBTFUL:
                query = select(func.count()).where(*conditions(wanted), *_to_review(verdict, ok_share))
                if n := connection.execute(query).scalar_one():
                    found[verdict] = n
        return found


def _end_claims(connection: Connection, by: str, lease: timedelta, now: datetime) -> None:
    """Those of this person, and those whose time is over."""
    is_over = (Claims.until <= now) | (Claims.until > now + 2 * max(lease, LEASE))  # the clock was set back
    connection.execute(delete(Claims).where(is_over | (Claims.by == by)))


def _most_doubtful(
    connection: Connection, verdict: str, free: list[ColumnElement[bool]], ok_share: float, limit: int
) -> list[StoredInspection]:
    if limit <= 0:
        return []
    query = select(*WHOLE).where(*_to_review(verdict, ok_share), *free)
    query = query.order_by(Inspections.review_rank, Inspections.number).limit(limit)
    return [stored(found) for found in connection.execute(query)]


def _to_review(verdict: str, ok_share: float) -> list[ColumnElement[bool]]:
    """What must hold of an inspection of this verdict that is to be looked at."""
    is_wanted = Inspections.review_rank < (ok_share if verdict == "OK" else math.inf)
    return [Inspections.verdict == verdict, Inspections.reviewed_as.is_(None), is_wanted, IS_KEPT]


def _latest(inspection: int) -> Select[int, str]:
    return (
        select(Table.number, Table.verdict)
        .where(Table.inspection == inspection, Table.undone_at.is_(None))
        .order_by(Table.number.desc())
        .limit(1)
    )


def _let_latest_count(connection: Connection, inspection: int) -> None:
    latest = connection.execute(_latest(inspection)).one_or_none()
    values = {"reviewed_as": None if latest is None else latest.verdict}
    connection.execute(update(Inspections).where(Inspections.number == inspection).values(values))


def _reviews() -> Select[*tuple[Any, ...]]:
    return select(*COLUMNS).join(Inspections, Inspections.number == Table.inspection)


def _get(connection: Connection, number: int) -> Review:
    return Review(**connection.execute(_reviews().where(Table.number == number)).one()._mapping)
