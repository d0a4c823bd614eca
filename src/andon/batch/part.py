"""The verdicts of one shard: a Parquet file, one row per photo. It says itself what it is of and what it holds."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from andon.arrow import arrow_cells, schema
from andon.batch.manifest import Manifest
from andon.batch.place import Place
from andon.rows import Cells

FOLDER = "parts"
KEY = b"andon"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a part says of itself.

    Attributes:
        photos: the digest of their paths, see `manifest.digest`.
        model_sha256: of the model that judged.
        verdicts: how many photos got each.
        milliseconds: of work in each stage, of all photos together.
        seconds: from the first photo to the last.
        attempt: 1, or one more for each worker that died over it.
        host: the computer.
    """

    shard: int
    photos: str
    model_sha256: str
    verdicts: Mapping[str, int]
    milliseconds: Mapping[str, float]
    seconds: float
    attempt: int
    host: str

    @property
    def total(self) -> int:
        """How many photos."""
        return sum(self.verdicts.values())

    @property
    def failures(self) -> int:
        """How many of them could not be inspected."""
        return self.verdicts.get("error", 0)


def name_of(shard: int) -> str:
    """Of the file."""
    return f"{FOLDER}/{shard:07d}.parquet"


def write_part(place: Place, done: Done, rows: Sequence[Cells]) -> None:
    """Write it whole or not at all."""
    table = pa.Table.from_pylist([arrow_cells(row) for row in rows], schema())
    buffer = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({KEY: json.dumps(asdict(done)).encode()}), buffer)
    place.write(name_of(done.shard), buffer.getvalue())


def read_done(place: Place, manifest: Manifest, shard: int) -> Done | None:
    """What the part says; None where there is none, or none that is whole and of this batch's model and shard."""
    try:
        with place.fs.open(place.path(name_of(shard)), "rb") as file:
            return _checked(parquet.ParquetFile(file), manifest, shard)
    except (FileNotFoundError, pa.ArrowInvalid, pa.ArrowIOError):
        return None


def read_columns(place: Place, shard: int, columns: Sequence[str]) -> pa.Table:
    """Some columns of a part."""
    with place.fs.open(place.path(name_of(shard)), "rb") as file:
        return parquet.read_table(file, columns=list(columns))


def shards_with_parts(place: Place) -> list[int]:
    """Those of which a file is there, whatever it holds."""
    names = [name.removesuffix(".parquet") for name in place.names(FOLDER)]
    return [int(name) for name in names if name.isdigit()]


def verdicts_of(rows: Sequence[Cells]) -> dict[str, int]:
    """How many rows have each verdict."""
    return dict(Counter(row["verdict"] for row in rows))


def _checked(file: parquet.ParquetFile, manifest: Manifest, shard: int) -> Done | None:
    try:
        content: dict[str, Any] = json.loads((file.schema_arrow.metadata or {})[KEY])
        done = Done(**content)
    except (KeyError, TypeError, ValueError):
        return None
    is_whole = done.total == file.metadata.num_rows == manifest.photos_of(shard)
    return done if is_whole and done.shard == shard and done.model_sha256 == manifest.model_sha256 else None
