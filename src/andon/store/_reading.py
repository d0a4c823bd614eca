"""How inspections are read: the columns, the conditions of a filter, and the records made of what was found."""

from __future__ import annotations

from typing import Any, get_args

from sqlalchemy import ColumnElement, Row, exists, select

from andon.store.records import Filter, Judged, Judgement, StoredInspection
from andon.store.tables import Golden, Inspections, Photos

JUDGEMENTS = get_args(Judgement)
IS_KEPT = exists().where(Photos.sha256 == Inspections.photo_sha256)
IS_GOLDEN = Inspections.number.in_(select(Golden.inspection))

WHOLE = (
    Inspections.number,
    Inspections.inspection_id,
    Inspections.row,
    Inspections.station,
    Inspections.inspected_at,
    Inspections.photo_sha256,
    IS_KEPT.label("photo_kept"),
    Inspections.measures,
    Inspections.reviewed_as,
)
"""What `stored` needs."""

FIGURES = (
    Inspections.number,
    Inspections.inspection_id,
    Inspections.inspected_at,
    Inspections.station,
    Inspections.model_sha256,
    Inspections.verdict,
    Inspections.score,
    Inspections.reviewed_as,
    Inspections.measures,
)
"""What `judged` needs."""


def stored(found: Row[*tuple[Any, ...]]) -> StoredInspection:
    """The record of columns that begin with WHOLE."""
    return StoredInspection(**{column.key: getattr(found, column.key) for column in WHOLE})


def judged(found: Row[*tuple[Any, ...]]) -> Judged:
    """The record of the columns FIGURES."""
    return Judged(**found._mapping)


def conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """What must hold for an inspection that is wanted."""
    equal = {
        Inspections.part_id: wanted.part_id,
        Inspections.station: wanted.station,
        Inspections.model_name: wanted.model_name,
        Inspections.model_sha256: wanted.model_sha256,
        Inspections.photo_sha256: wanted.photo_sha256,
        Inspections.reviewed_as: wanted.reviewed_as,
    }
    found: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
    if wanted.verdicts:
        found.append(Inspections.verdict.in_(wanted.verdicts))
    if wanted.since is not None:
        found.append(Inspections.inspected_at >= wanted.since)
    if wanted.until is not None:
        found.append(Inspections.inspected_at < wanted.until)
    if wanted.reviewed is not None:
        # SQLite uses no index for IS NOT NULL
        is_reviewed = Inspections.reviewed_as.in_(JUDGEMENTS)
        found.append(is_reviewed if wanted.reviewed else Inspections.reviewed_as.is_(None))
    if wanted.photo_kept is not None:
        found.append(IS_KEPT if wanted.photo_kept else ~IS_KEPT)
    if wanted.golden is not None:
        found.append(IS_GOLDEN if wanted.golden else ~IS_GOLDEN)
    return found
