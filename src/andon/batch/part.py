"""The verdicts of one shard: a Parquet file, one row per photo. It says itself what it is of and what it holds."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

import pyarrow as pa
from pyarrow import parquet

from andon.arrow import arrow_cells, schema
from andon.batch.damage import DamagedError, finding_damage
from andon.batch.manifest import Manifest
from andon.batch.place import Place
from andon.rows import Cells

FOLDER = "parts"
KEY = b"andon"
READERS = 16  # of parts side by side, as they wait for a store most of the time


@dataclass(frozen=True, kw_only=True)
class PartInfo:
    """What a part says of itself, in its Parquet metadata.

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


def write_part(place: Place, info: PartInfo, rows: Sequence[Cells]) -> None:
    """Write it whole or not at all.

    Raises:
        PlaceError: it cannot be written.
    """
    table = pa.Table.from_pylist([arrow_cells(row) for row in rows], schema())
    buffer = io.BytesIO()
    table = table.replace_schema_metadata({KEY: json.dumps(asdict(info)).encode()})
    parquet.write_table(table, buffer, write_page_checksum=True)
    place.write(name_of(info.shard), buffer.getvalue())


def read_info(place: Place, manifest: Manifest, shard: int) -> PartInfo | None:
    """What the part says; None where there is none, or none that is whole and of this batch's model and shard.

    Raises:
        PlaceError: it cannot be read.
    """

    def look(file: IO[bytes]) -> PartInfo | None:
        with finding_damage():
            return _checked(parquet.ParquetFile(file), manifest, shard)

    try:
        return place.look_into(name_of(shard), look)
    except (FileNotFoundError, DamagedError):
        return None


def read_part(
    place: Place, manifest: Manifest, shard: int, columns: Sequence[str] | None = None
) -> tuple[PartInfo, pa.Table] | None:
    """What `read_info` and `read_columns` say, of a file that is opened once.

    Raises:
        DamagedError: its rows are not what was written.
        PlaceError: it cannot be read.
    """

    def look(file: IO[bytes]) -> tuple[PartInfo, pa.Table] | None:
        try:
            with finding_damage():
                opened = parquet.ParquetFile(file, page_checksum_verification=True)
                info = _checked(opened, manifest, shard)
        except DamagedError:
            return None
        if info is None:
            return None
        with finding_damage():
            return info, opened.read(columns and list(columns))

    try:
        return place.look_into(name_of(shard), look)
    except FileNotFoundError:
        return None


def read_columns(place: Place, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
    """Some columns of a part, or all of them; their checksums are looked at.

    Raises:
        DamagedError: it is not what was written.
        FileNotFoundError: it is not there.
        PlaceError: it cannot be read.
    """

    def look(file: IO[bytes]) -> pa.Table:
        with finding_damage():
            return parquet.ParquetFile(file, page_checksum_verification=True).read(columns and list(columns))

    return place.look_into(name_of(shard), look)


def shards_with_parts(place: Place) -> list[int]:
    """Those of which a file is there, whatever it holds."""
    numbers = [int(stem) for name in place.names(FOLDER) if (stem := name.removesuffix(".parquet")).isdecimal()]
    return sorted(set(numbers))


def _checked(file: parquet.ParquetFile, manifest: Manifest, shard: int) -> PartInfo | None:
    try:
        content: dict[str, Any] = json.loads((file.schema_arrow.metadata or {})[KEY])
        info = PartInfo(**content)
    except (KeyError, TypeError, ValueError):
        return None
    is_whole = info.total == file.metadata.num_rows == manifest.photos_of(shard)
    return info if is_whole and info.shard == shard and info.model_sha256 == manifest.model_sha256 else None
