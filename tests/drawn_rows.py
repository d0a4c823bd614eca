"""Rows of inspections that never took place, for tests of what stores and sends them."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from andon.rows import Cells, ModelOfRow, Row

MODEL = ModelOfRow(name="bolt", sha256="ab" * 32)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def content(number: int) -> bytes:
    """The bytes of a photo, as far as a store cares."""
    return b"photo %d" % number


def drawn_row(verdict: str = "OK", *, photo: int = 0, at: datetime = NOON, score: float = 0.5, **values: Any) -> Cells:
    """A row as `Inspection.to_row` makes it, with a threshold of 1 and an inspection id of its own."""
    row = Row(
        inspection_id=str(uuid.uuid4()),
        part_id=None,
        path=f"photos/{photo}.png",
        sha256=hashlib.sha256(content(photo)).hexdigest(),
        model=MODEL,
        andon_version="0.1.0",
        inspected_at=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        verdict=verdict,
        score=score,
        threshold=1.0,
    ).to_dict()
    return row | values
