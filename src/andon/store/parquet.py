"""Results as a Parquet file, with numbers and times as such. Needs the extra `parquet`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from andon.store.results import RESULT_COLUMNS, Result

BATCH = 1000

TIME = pa.timestamp("us", tz="UTC")
TYPES = {
    "schema_version": pa.int64(),
    "inspected_at": TIME,
    "reviewed_at": TIME,
    "reasons": pa.list_(pa.string()),
    "notes": pa.list_(pa.string()),
}
TYPES |= dict.fromkeys(
    ("score", "threshold", "review_threshold", "p_value", "sigma", "confidence", "milliseconds"), pa.float64()
)
SCHEMA = pa.schema([(name, TYPES.get(name, pa.string())) for name in RESULT_COLUMNS])
"""The columns of CSV. Regions are JSON; all that is not said otherwise is text."""


def write_parquet(path: Path, results: Iterable[Result]) -> None:
    """Write all of them, some at a time.

    Raises:
        OSError: it cannot be written.
    """
    with parquet.ParquetWriter(path, SCHEMA) as writer:
        batch: list[dict[str, Any]] = []
        for result in results:
            batch.append(_cells(result))
            if len(batch) == BATCH:
                writer.write_table(pa.Table.from_pylist(batch, SCHEMA))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, SCHEMA))


def _cells(result: Result) -> dict[str, Any]:
    cells = result.to_dict()
    cells |= {"model": cells["model"]["name"], "model_sha256": cells["model"]["sha256"]}
    cells["regions"] = json.dumps(cells["regions"])
    for name in ("inspected_at", "reviewed_at"):
        cells[name] = cells[name] and datetime.fromisoformat(cells[name])
    return cells
