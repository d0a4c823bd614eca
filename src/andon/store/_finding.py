"""From an inspection id to the number that the other tables go by."""

from __future__ import annotations

from sqlalchemy import Connection, select

from andon.errors import NotFoundError
from andon.store.tables import Inspections


def number_of(connection: Connection, inspection_id: str) -> int:
    """Raises:
    NotFoundError: there is no inspection of this id.
    """
    query = select(Inspections.number).where(Inspections.inspection_id == inspection_id)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise no_inspection(inspection_id)
    return found


def no_inspection(inspection_id: str) -> NotFoundError:
    """What to raise where there is none of this id."""
    return NotFoundError(f"There is no inspection {inspection_id!r}; give the inspection_id of a row.")
