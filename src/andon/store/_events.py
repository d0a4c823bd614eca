"""An event is written in the transaction of what happened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert

from andon.store.records import EventKind
from andon.store.tables import Events


def add(connection: Connection, kind: EventKind, subject: str, now: datetime) -> None:
    """Say that this happened."""
    connection.execute(insert(Events), {"at": now, "kind": kind, "subject": subject})
