"""What a batch has to do, written down before it begins: every photo, in shards, and how they are inspected.

`manifest.json` is written last, so whoever finds it finds all of it. The photos lie in Parquet files beside it, each
shard a row group of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import IO, Any, Literal, TypeVar

import pyarrow as pa
from pyarrow import parquet

from andon.batch.damage import DamagedError, finding_damage
from andon.batch.place import Place
from andon.batch.source import Listed
from andon.errors import InputError
from andon.rows import utf8

T = TypeVar("T")

FILE = "manifest.json"
FOLDER = "manifest"
VERSION = 1
SHARDS_PER_FILE = 1000
# A path is bytes, as a file's name need not be UTF-8.
SCHEMA = pa.schema([("path", pa.binary()), ("modified", pa.timestamp("us", tz="UTC")), ("part_id", pa.string())])


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Attributes:
    source: the place that the photos were listed at.
    photos: how many.
    shard_size: how many of them make a shard; the last one may have fewer.
    model: name of the model's file, which lies in model/.
    model_sha256: of its content.
    precision: what the network computes in, on every computer.
    guard: whether photos that show no part are invalid.
    keep_maps: whether the anomaly maps are kept.
    part_id_from: the pattern that found the part ids in the photos' file names.
    listing: the folder of the photos' files within manifest/.
    created: when, as ISO 8601.
    """

    source: str
    photos: int
    shard_size: int
    model: str
    model_sha256: str
    precision: Literal["f32", "bf16"]
    guard: bool
    keep_maps: bool
    part_id_from: str | None
    listing: str
    created: str
    andon_version: str
    version: int = VERSION

    @property
    def shards(self) -> int:
        """How many."""
        return -(-self.photos // self.shard_size)

    def photos_of(self, shard: int) -> int:
        """How many."""
        return min(self.shard_size, self.photos - shard * self.shard_size)

    def read_shard(self, place: Place, shard: int) -> list[Listed]:
        """The photos of a shard, in order.

        Raises:
            InputError: their list is damaged.
            FileNotFoundError: it is not there.
            PlaceError: it cannot be read.
        """
        file, group = divmod(shard, SHARDS_PER_FILE)

        def look(opened: IO[bytes]) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = (
                parquet.ParquetFile(opened, page_checksum_verification=True).read_row_group(group).to_pylist()
            )
            return rows

        rows = _look_into(place, _name(self.listing, file), look)
        return [Listed(os.fsdecode(row["path"]), row["modified"], row["part_id"]) for row in rows]

    def read_column(self, place: Place, name: Literal["path", "modified"]) -> Iterator[pa.ChunkedArray]:
        """Of the photos, shard by shard, in order; paths are bytes.

        Raises:
            InputError: the list of the photos is damaged.
            FileNotFoundError: it is not there.
            PlaceError: it cannot be read.
        """

        def look(opened: IO[bytes]) -> list[pa.ChunkedArray]:
            file = parquet.ParquetFile(opened, page_checksum_verification=True)
            groups = range(file.num_row_groups)
            return [file.read_row_group(group, columns=[name])[name] for group in groups]

        for file_name in self._files():
            yield from _look_into(place, file_name, look)

    def require_photos(self, place: Place) -> None:
        """Raises:
        InputError: the files that hold the photos are not there, or not whole.
        PlaceError: they cannot be read.
        """
        shards = photos = 0
        for name in self._files():
            try:
                found = _look_into(place, name, parquet.read_metadata)
            except FileNotFoundError:
                raise InputError(_broken(place, name, "not there any more")) from None
            shards, photos = shards + found.num_row_groups, photos + found.num_rows
        if (shards, photos) != (self.shards, self.photos):
            raise InputError(_broken(place, FILE, f"not of the {photos:,} photos that are written down beside it"))

    def _files(self) -> list[str]:
        return [_name(self.listing, file) for file in range(-(-self.shards // SHARDS_PER_FILE))]

    def write(self, place: Place) -> None:
        """Write what finds the rest; `write_photos` before."""
        place.write(FILE, json.dumps(asdict(self), indent=2).encode())


def read_manifest(place: Place) -> Manifest | None:
    """That of a batch, None where none was written.

    Raises:
        InputError: it is not one that this Andon can read.
        PlaceError: it cannot be read.
    """
    try:
        content = json.loads(place.read(FILE))
        if content["version"] > VERSION:
            raise InputError(f"{place.url} is a batch of a newer Andon; go on with that, or give another --out.")
        manifest = Manifest(**content)
        if manifest.photos < 1 or manifest.shard_size < 1 or PurePosixPath(manifest.model).name != manifest.model:
            raise ValueError
        return manifest
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{place.path(FILE)} is no manifest of a batch; give another folder with --out.") from None


def write_photos(place: Place, listing: str, photos: Iterable[Listed], shard_size: int) -> Iterator[int]:
    """Write the photos down as they come; gives after each shard how many there are so far.

    Raises:
        PlaceError: they cannot be written.
    """
    rest = iter(photos)
    shards = iter(lambda: list(islice(rest, shard_size)), [])
    place.make_folder(f"{FOLDER}/{listing}")
    total = 0
    for file, first in enumerate(shards):
        with place.opened(_name(listing, file), "wb") as opened, _writer(opened) as writer:
            for group in chain([first], islice(shards, SHARDS_PER_FILE - 1)):
                writer.write_table(pa.Table.from_pylist([_cells(photo) for photo in group], SCHEMA))
                total += len(group)
                yield total


def digest(photos: Iterable[Listed]) -> str:
    """Of the photos' paths, by which a part proves which photos it is of."""
    return hashlib.sha256(b"\0".join(os.fsencode(photo.path) for photo in photos)).hexdigest()


def _cells(photo: Listed) -> dict[str, Any]:
    part_id = photo.part_id and utf8(photo.part_id)
    return {"path": os.fsencode(photo.path), "modified": photo.modified, "part_id": part_id}


def _writer(file: IO[bytes]) -> parquet.ParquetWriter:
    return parquet.ParquetWriter(file, SCHEMA, write_page_checksum=True)


def _look_into(place: Place, name: str, look: Callable[[IO[bytes]], T]) -> T:
    def act(opened: IO[bytes]) -> T:
        with finding_damage():
            return look(opened)

    try:
        return place.look_into(name, act)
    except DamagedError:
        raise InputError(_broken(place, name, "damaged")) from None


def _broken(place: Place, name: str, how: str) -> str:
    return f"{place.url}/{name} is {how}, so this batch cannot go on; begin it again in another folder with --out."


def _name(listing: str, file: int) -> str:
    return f"{FOLDER}/{listing}/{file:05d}.parquet"
