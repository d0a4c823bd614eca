"""What goes into the store and comes out of it: frozen values, none of which knows the database.

Times are aware and in UTC. An `inspection_id` is the one of the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from andon.rows import Cells

Judgement = Literal["OK", "NG"]
"""What a person says of a part."""

DeliveryKind = Literal["webhook", "mqtt"]
DeliveryState = Literal["pending", "sent", "dead"]
Change = Literal["activate", "roll back"]
Scope = Literal["inspect", "review", "admin"]
EventKind = Literal["inspection", "review", "model", "golden", "delivery", "alarm", "note"]


@dataclass(frozen=True, kw_only=True)
class NewDelivery:
    """Something to send.

    Attributes:
        target: the webhook's address, or the topic.
        payload: the text to send; None for the row as JSON.
    """

    kind: DeliveryKind
    target: str
    payload: str | None = None


@dataclass(frozen=True, kw_only=True)
class WatchedFile:
    """A file of a watched folder.

    Attributes:
        folder: the folder that is watched; the same content in two of them is inspected twice.
        path: where in it the file lay, relative to `folder`.
        size, modified_ns: by which the file is known again without reading it, in bytes and nanoseconds.
    """

    sha256: str
    folder: str
    path: str
    size: int = 0
    modified_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class KeptPhoto:
    """A photo in the photo store: the hash of its bytes, and how many there are."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class NewInspection:
    """What one inspection writes, in one transaction.

    Attributes:
        row: of `Inspection.to_row` or `Failure.to_row`.
        photo: where its photo is kept; None where it is not.
        deliveries: what is to be sent because of it.
        watched: the file that it came from. Where its content is known already in that folder, nothing is written.
        measures: figures beside the row, such as light and sharpness, by name.
    """

    row: Cells
    station: str = ""
    photo: KeptPhoto | None = None
    deliveries: Sequence[NewDelivery] = ()
    watched: WatchedFile | None = None
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Added:
    """What became of a `NewInspection`.

    Attributes:
        number: ascending, in the order in which inspections become visible; never given twice.
        inspection_id: the new one, or the older one of a watched file that was known already.
        is_new: whether it was written.
    """

    number: int
    inspection_id: str
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which inspections are meant; what is left out does not matter. All given conditions must hold.

    Attributes:
        since, until: of `inspected_at`, from `since` on and before `until`.
        reviewed: whether a review counts for it.
        reviewed_as: what the review that counts says.
        photo_kept: whether its photo is still there.
        golden: whether it is in the golden set.
    """

    verdicts: Sequence[str] = ()
    part_id: str | None = None
    station: str | None = None
    model_name: str | None = None
    model_sha256: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    reviewed: bool | None = None
    reviewed_as: Judgement | None = None
    photo_sha256: str | None = None
    photo_kept: bool | None = None
    golden: bool | None = None


@dataclass(frozen=True, kw_only=True)
class StoredInspection:
    """An inspection as it is in the database.

    Attributes:
        photo_sha256: of the row; "" where the photo could not be read.
        photo_kept: whether the photo is in the photo store.
        reviewed_as: what the review that counts says; None where there is none.
    """

    number: int
    inspection_id: str
    row: Cells
    station: str
    inspected_at: datetime
    photo_sha256: str
    photo_kept: bool
    measures: Mapping[str, float]
    reviewed_as: Judgement | None

    @property
    def verdict(self) -> str:
        """OK, review, NG, invalid or error."""
        return str(self.row["verdict"])

    @property
    def name(self) -> str:
        """What people call it: by its part, else by its photo's file, else by how its id begins."""
        path = str(self.row["path"])
        file = "" if path.startswith("<") else Path(path).name  # what came over HTTP has no file
        return str(self.row["part_id"] or file or self.inspection_id[:8])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The figures of an inspection without its row, for statistics over many."""

    number: int
    inspection_id: str
    inspected_at: datetime
    station: str
    model_sha256: str
    verdict: str
    score: float | None
    reviewed_as: Judgement | None
    measures: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class DaySummary:
    """What a day that is over looked like at one station, as one version judged it.

    Attributes:
        summary: plain values for JSON; what they mean is the business of whoever sums up.
    """

    day: date
    station: str
    model_sha256: str
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """Some inspections, and the number after which the next page begins; None on the last one."""

    inspections: tuple[StoredInspection, ...]
    next: int | None


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a person said of an inspection. The latest that was not undone counts.

    Attributes:
        undone_at, undone_by: None where it was not undone.
    """

    number: int
    inspection_id: str
    verdict: Judgement
    note: str
    by: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, kw_only=True)
class StoredModel:
    """A model file that is known.

    Attributes:
        sha256: of the model's content, as in rows.
        name: what its versions have in common.
        path: where the file lies.
        parent_sha256: of the version that it was made from.
        origin, promise: in words.
        figures: such as those of the golden set, by name.
    """

    sha256: str
    name: str
    path: str
    added_by: str
    added_at: datetime
    parent_sha256: str | None = None
    origin: str = ""
    promise: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Activation:
    """From `at` on, inspections by the name `model_name` were made with this version."""

    number: int
    model_name: str
    sha256: str
    by: str
    at: datetime
    what: Change


@dataclass(frozen=True)
class GoldenPhoto:
    """An inspection whose photo judges models and never teaches one."""

    inspection: StoredInspection
    kind: Judgement
    added_at: datetime


ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""When a new delivery is to be tried, whatever the clock says."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Something that is to be sent, was sent, or was given up (dead).

    Attributes:
        delivery_id: stays the same however often it is tried.
        attempts: how often it was tried.
    """

    delivery_id: str
    kind: DeliveryKind
    target: str
    payload: str
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    state: DeliveryState
    last_error: str

    @property
    def due_at(self) -> datetime:
        """Since when it may be tried; a new one since it was made."""
        return self.created_at if self.next_attempt_at == ALWAYS else self.next_attempt_at


@dataclass(frozen=True, kw_only=True)
class Token:
    """Who may do what. The secret itself is not kept."""

    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        number: ascending, in the order in which events become visible.
        subject: what it happened to: an inspection id, a model's digest, a delivery id, or words.
    """

    number: int
    at: datetime
    kind: EventKind
    subject: str
