"""Anomaly maps that are kept: one archive per shard, one array per photo, small enough for a million of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

import numpy as np

from andon.batch.place import Place
from andon.line.anomaly_map import reduced
from andon.types import FloatMap

FOLDER = "maps"
LONGEST_SIDE = 256  # pixels; a map has no more detail than the patches that it was made of


def to_bytes(anomaly_map: FloatMap) -> bytes:
    """A map (H0, W0) as a float16 array in the format .npy, at most `LONGEST_SIDE` high and wide."""
    file = io.BytesIO()
    np.save(file, reduced(anomaly_map, LONGEST_SIDE).astype(np.float16), allow_pickle=False)
    return file.getvalue()


def write(place: Place, shard: int, maps: Iterable[bytes | None]) -> None:
    """The archive of a shard: 000042.npy is the map of the photo in row 42 of its part, counted from 0.

    Raises:
        PlaceError: it cannot be written.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(maps):
            if data is not None:
                archive.writestr(f"{number:06d}.npy", data)
    place.write(f"{FOLDER}/{shard:07d}.zip", file.getvalue())
