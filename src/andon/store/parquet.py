"""Results as a Parquet file. Needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from andon.arrow import arrow_cells, schema
from andon.store.results import RESULT_COLUMNS, Result

BATCH = 1000
SCHEMA = schema(RESULT_COLUMNS)


def write_parquet(path: Path, results: Iterable[Result]) -> None:
    """Write all of them, some at a time.

    Raises:
        OSError: it cannot be written.
    """
    with parquet.ParquetWriter(path, SCHEMA) as writer:
        batch: list[dict[str, Any]] = []
        for result in results:
            batch.append(arrow_cells(result.to_dict()))
            if len(batch) == BATCH:
                writer.write_table(pa.Table.from_pylist(batch, SCHEMA))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, SCHEMA))
