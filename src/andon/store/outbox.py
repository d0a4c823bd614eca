"""What is to be sent: kept until the receiver has it, tried less and less often, given up at last."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from andon.errors import NotFoundError
from andon.store import _events
from andon.store.database import Database
from andon.store.records import ALWAYS, Delivery, DeliveryKind, DeliveryState, NewDelivery
from andon.store.tables import Outbox as Table

LEASE = timedelta(minutes=1)
MAX_ATTEMPTS = 20
LONGEST_PAUSE = timedelta(hours=1)
FARTHEST = 1.5 * LONGEST_PAUSE
"""No delivery waits longer for its next attempt: where one would, the clock has been set back, and it is due now."""

COLUMNS = [column for column in Table.__table__.columns if column.key != "number"]


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts that failed, 1 or more: 1 s, 2 s, 4 s, at most an hour.

    The 20 attempts end after some 9 hours.
    """
    return min(LONGEST_PAUSE, timedelta(seconds=2 ** min(attempts - 1, 30)))


def receiver(kind: str, target: str) -> str:
    """Who a delivery is for, for others to read: of a webhook its host alone, as its path may be a secret."""
    if kind != "webhook":
        return target
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def put(connection: Connection, new: NewDelivery, now: datetime) -> str:
    """Write a delivery in the transaction of what it tells of, and return its id."""
    delivery_id = str(uuid.uuid4())
    values = {"delivery_id": delivery_id, "kind": new.kind, "target": new.target, "payload": new.payload or ""}
    state = {"state": "pending", "created_at": now, "attempts": 0, "next_attempt_at": ALWAYS, "last_error": ""}
    connection.execute(insert(Table), values | state)
    return delivery_id


class Outbox:
    """The deliveries of a database. Each arrives at least once; receivers know a second one by its id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, new: NewDelivery) -> str:
        """Have something sent that is no inspection, and return its delivery id."""
        with self._database.write() as connection:
            return put(connection, new, datetime.now(UTC))

    def take_due(
        self,
        *,
        kind: DeliveryKind | None = None,
        target: str | None = None,
        limit: int = 20,
        lease: timedelta = LEASE,
        now: datetime | None = None,
    ) -> list[Delivery]:
        """What is to be sent now, oldest first. Nobody else gets the same before `lease` is over.

        Say of each what became of it, with `sent` or `failed`. What a killed process had taken is due again after
        the lease.
        """
        now = now or datetime.now(UTC)
        is_due = (Table.next_attempt_at <= now) | (Table.next_attempt_at > now + FARTHEST)
        query = select(Table.number, *COLUMNS).where(Table.state == "pending", is_due)
        if kind is not None:
            query = query.where(Table.kind == kind)
        if target is not None:
            query = query.where(Table.target == target)
        query = query.order_by(Table.number).limit(limit)
        with self._database.read() as connection:  # mostly there is nothing, and looking disturbs nobody
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            found = connection.execute(query).all()
            taken = [row.number for row in found]
            connection.execute(update(Table).where(Table.number.in_(taken)).values(next_attempt_at=now + lease))
        return [_delivery(row) for row in found]

    def sent(self, *delivery_ids: str) -> None:
        """The receiver has these."""
        with self._database.write() as connection:
            connection.execute(
                update(Table)
                .where(Table.delivery_id.in_(delivery_ids))
                .values(state="sent", attempts=Table.attempts + 1, last_error="")
            )

    def failed(
        self, delivery_id: str, error: str, *, max_attempts: int = MAX_ATTEMPTS, now: datetime | None = None
    ) -> DeliveryState:
        """An attempt failed: it is tried again after a pause, or given up after the last attempt.

        Returns:
            "pending" or "dead"; "sent" where another attempt was successful meanwhile.

        Raises:
            NotFoundError: there is no such delivery.
        """
        now = now or datetime.now(UTC)
        with self._database.write() as connection:
            found = _find(connection, delivery_id)
            if found.state == "sent":
                return "sent"
            attempts = found.attempts + 1
            state: DeliveryState = "dead" if attempts >= max_attempts else "pending"
            this = update(Table).where(Table.delivery_id == delivery_id)
            tried = this.values(attempts=attempts, state=state, last_error=error)
            connection.execute(tried.values(next_attempt_at=now + pause(attempts)))
            if state == "dead":
                _events.add(connection, "delivery", delivery_id, now)
        return state

    def give_up(self, delivery_id: str, error: str) -> None:
        """It will never be taken, so it is not tried again: at once dead."""
        self.failed(delivery_id, error, max_attempts=0)

    def waiting(self, *, target: str | None = None, limit: int = 100) -> list[Delivery]:
        """What is still to be sent, to one receiver or to all, what is tried next first."""
        return self._in_state("pending", target, Table.next_attempt_at, limit)

    def dead(self, *, target: str | None = None, limit: int = 100) -> list[Delivery]:
        """What was given up, newest first."""
        return self._in_state("dead", target, Table.number.desc(), limit)

    def send_again(self, delivery_ids: Iterable[str] | None = None, *, target: str | None = None) -> int:
        """Try what was given up again, from the first attempt on, and say how many deliveries those were.

        Args:
            delivery_ids: None for all.
            target: only those to this receiver.
        """
        now = datetime.now(UTC)
        chosen = update(Table).where(*_given_up(delivery_ids, target))
        with self._database.write() as connection:
            return connection.execute(chosen.values(state="pending", attempts=0, next_attempt_at=now)).rowcount

    def forget_dead(self, delivery_ids: Iterable[str] | None = None, *, target: str | None = None) -> int:
        """Remove what was given up; see `send_again`."""
        with self._database.write() as connection:
            return connection.execute(delete(Table).where(*_given_up(delivery_ids, target))).rowcount

    def get(self, delivery_id: str) -> Delivery:
        """One delivery.

        Raises:
            NotFoundError: there is no such delivery.
        """
        with self._database.read() as connection:
            return _find(connection, delivery_id)

    def counts(self, *states: DeliveryState) -> dict[tuple[str, str, str], int]:
        """How many there are of each kind, target and state; of these states alone, which is quicker than of all."""
        columns = (Table.kind, Table.target, Table.state)
        query = select(*columns, func.count()).group_by(*columns)
        if states:
            query = query.where(Table.state.in_(states))
        with self._database.read() as connection:
            return {(kind, target, state): count for kind, target, state, count in connection.execute(query)}

    def forget_sent(self, before: datetime) -> int:
        """Remove what was made before that time and has arrived, and say how many those were."""
        old = delete(Table).where(Table.state == "sent", Table.created_at < before)
        with self._database.write() as connection:
            return connection.execute(old).rowcount

    def _in_state(self, state: DeliveryState, target: str | None, order: Any, limit: int) -> list[Delivery]:
        query = select(*COLUMNS).where(Table.state == state).order_by(order).limit(limit)
        if target is not None:
            query = query.where(Table.target == target)
        with self._database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]


def _given_up(delivery_ids: Iterable[str] | None, target: str | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Table.state == "dead"]
    if delivery_ids is not None:
        found.append(Table.delivery_id.in_(list(delivery_ids)))
    if target is not None:
        found.append(Table.target == target)
    return found


def _find(connection: Connection, delivery_id: str) -> Delivery:
    found = connection.execute(select(*COLUMNS).where(Table.delivery_id == delivery_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no delivery {delivery_id!r}.")
    return _delivery(found)


def _delivery(found: Row[*tuple[Any, ...]]) -> Delivery:
    return Delivery(**{column.key: getattr(found, column.key) for column in COLUMNS})
