"""The tables. `migrations/` makes them; a test holds the two against each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from andon.rows import utf8

Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up by itself in columns of this one type."""


class Time(TypeDecorator[datetime]):
    """An aware time, in UTC on the way in and out; SQLite keeps no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text. A zero character, and parts of a file's name that are no UTF-8, are spelt out: databases refuse them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return utf8(value).replace("\0", "\\x00")


class Table(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {str: Words, datetime: Time, int: Number, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class Photos(Table):
    """The photos that are kept, by the hash of their bytes."""

    __tablename__ = "photos"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    kept_at: Mapped[datetime] = mapped_column(index=True)


class Inspections(Table):
    """One row per inspection: the row whole, and the columns by which it is found.

    `review_rank`: the lower, the sooner it is looked at among those of its verdict; NULL where it needs no look.
    `reviewed_as`: what the review that counts says.
    """

    __tablename__ = "inspections"
    number: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[str] = mapped_column(unique=True)
    row: Mapped[dict[str, Any]]
    verdict: Mapped[str]
    score: Mapped[float | None]
    part_id: Mapped[str | None] = mapped_column(index=True)
    station: Mapped[str]
    model_name: Mapped[str]
    model_sha256: Mapped[str]
    inspected_at: Mapped[datetime]
    photo_sha256: Mapped[str] = mapped_column(index=True)
    measures: Mapped[dict[str, Any]]
    review_rank: Mapped[float | None]
    reviewed_as: Mapped[str | None]
    __table_args__ = (
        Index("ix_inspections_to_review", "reviewed_as", "verdict", "review_rank"),
        Index("ix_inspections_time", "inspected_at", "verdict"),  # with the verdict counts need no table
        Index("ix_inspections_station", "station", "inspected_at", "verdict"),
        Index("ix_inspections_of_station", "station", "number"),  # in the order of pages
        Index("ix_inspections_model", "model_sha256", "number"),
        {"sqlite_autoincrement": True},
    )


class Days(Table):
    """What each day that is over looked like, so that nobody has to read all its inspections again.

    `up_to`: the largest number of an inspection that was there when it was summed up.
    """

    __tablename__ = "days"
    day: Mapped[str] = mapped_column(primary_key=True)
    station: Mapped[str] = mapped_column(primary_key=True)
    model_sha256: Mapped[str] = mapped_column(primary_key=True)
    summary: Mapped[dict[str, Any]]
    up_to: Mapped[int]


class Reviews(Table):
    """What people said, undone or not."""

    __tablename__ = "reviews"
    number: Mapped[int] = mapped_column(primary_key=True)
    inspection: Mapped[int] = mapped_column(ForeignKey("inspections.number"), index=True)
    verdict: Mapped[str]
    note: Mapped[str]
    by: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]
    __table_args__ = ({"sqlite_autoincrement": True},)


class Claims(Table):
    """Who looks at which inspection, until when."""

    __tablename__ = "review_claims"
    inspection: Mapped[int] = mapped_column(ForeignKey("inspections.number"), primary_key=True, autoincrement=False)
    by: Mapped[str] = mapped_column(index=True)
    until: Mapped[datetime]


class Golden(Table):
    """The inspections whose photos judge models and never teach one."""

    __tablename__ = "golden"
    inspection: Mapped[int] = mapped_column(ForeignKey("inspections.number"), primary_key=True, autoincrement=False)
    kind: Mapped[str]
    added_at: Mapped[datetime]


class Models(Table):
    """The model files that are known."""

    __tablename__ = "models"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    path: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    parent_sha256: Mapped[str | None]
    origin: Mapped[str]
    promise: Mapped[str]
    figures: Mapped[dict[str, Any]]


class Activations(Table):
    """Which version a name stands for, from when on."""

    __tablename__ = "activations"
    number: Mapped[int] = mapped_column(primary_key=True)
    model_name: Mapped[str] = mapped_column(index=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("models.sha256"))
    by: Mapped[str]
    at: Mapped[datetime]
    what: Mapped[str]
    __table_args__ = ({"sqlite_autoincrement": True},)


class Outbox(Table):
    """What is to be sent, was sent, or was given up."""

    __tablename__ = "outbox"
    number: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    target: Mapped[str]
    payload: Mapped[str]
    created_at: Mapped[datetime]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime]
    state: Mapped[str]
    last_error: Mapped[str]
    __table_args__ = (Index("ix_outbox_due", "state", "next_attempt_at"), {"sqlite_autoincrement": True})


class Watched(Table):
    """The files of watched folders that were inspected."""

    __tablename__ = "watched_files"
    folder: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    size: Mapped[int]
    modified_ns: Mapped[int]
    station: Mapped[str]
    inspection: Mapped[int] = mapped_column(ForeignKey("inspections.number"))


class Tokens(Table):
    """Who may do what; of the secret only its hash."""

    __tablename__ = "tokens"
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Events(Table):
    """What happened, in order; pages follow it."""

    __tablename__ = "events"
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    subject: Mapped[str]
    __table_args__ = ({"sqlite_autoincrement": True},)
