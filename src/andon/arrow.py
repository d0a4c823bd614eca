"""Rows as Arrow holds them, and so Parquet: numbers and times as such, regions as JSON. Needs pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa

from andon.rows import CSV_COLUMNS, Cells, utf8

TIME = pa.timestamp("us", tz="UTC")
TIMES = ("inspected_at", "reviewed_at")
TYPES = {
    "schema_version": pa.int64(),
    "reasons": pa.list_(pa.string()),
    "notes": pa.list_(pa.string()),
}
TYPES |= dict.fromkeys(TIMES, TIME)
TYPES |= dict.fromkeys(
    ("score", "threshold", "review_threshold", "p_value", "sigma", "confidence", "milliseconds"), pa.float64()
)


def schema(columns: Iterable[str] = CSV_COLUMNS) -> pa.Schema:
    """Of rows with the columns of CSV; what is not said otherwise is text."""
    return pa.schema([(name, TYPES.get(name, pa.string())) for name in columns])


def arrow_cells(row: Cells) -> Cells:
    """The values of `Row.to_dict`, and of what stands beside them, as the schema wants them."""
    cells = row | {"model": row["model"]["name"], "model_sha256": row["model"]["sha256"]}
    cells["regions"] = json.dumps(row["regions"])
    for name in TIMES:
        if cells.get(name):
            cells[name] = datetime.fromisoformat(cells[name])
    return {name: _valid(value) for name, value in cells.items()}


def _valid(value: Any) -> Any:
    """With text that is UTF-8."""
    if isinstance(value, list):
        return [_valid(item) for item in value]
    return utf8(value) if isinstance(value, str) else value
