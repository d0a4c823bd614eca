"""Photos inspected: read from wherever they are, ahead and side by side."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from andon import images
from andon.batch.asking import TRIES, PlaceError
from andon.batch.manifest import Manifest
from andon.batch.maps import to_bytes
from andon.batch.place import Place
from andon.batch.source import Listed
from andon.errors import AndonError, ImageError, ModelError
from andon.line.pipeline import PhotoFile, Pipeline, Prepared, Scored
from andon.models.load import load
from andon.ordered_map import ordered_map
from andon.rows import Cells
from andon.types import Failure


class Judged(NamedTuple):
    """What is said of one photo.

    Attributes:
        row: see `rows.Row`.
        milliseconds: of each stage; empty for a photo that could not be inspected.
        anomaly_map: as `maps` keeps it, where it is to be kept.
    """

    row: Cells
    milliseconds: dict[str, float]
    anomaly_map: bytes | None = None


def load_model(place: Place, manifest: Manifest) -> Pipeline:
    """The batch's model, by which every computer inspects in the same way.

    Raises:
        ModelError: it is damaged.
        PlaceError, FileNotFoundError: it cannot be read.
    """
    with TemporaryDirectory(prefix="andon-batch-") as folder:
        file = Path(folder) / manifest.model
        file.write_bytes(place.read(f"model/{manifest.model}"))
        try:
            pipeline = load(file, precision=manifest.precision)
        except ModelError as error:
            where = f"{place.url}/model/{manifest.model}"
            again = "If it is damaged, remove it there and give the same command again."
            raise ModelError(f"{str(error).replace(str(file), where)} {again}") from None
    return pipeline if manifest.guard else replace(pipeline, guard=None)


def inspect(
    pipeline: Pipeline, photos: Iterable[Listed], *, keep_maps: bool = False, waits: bool = False
) -> Iterator[Judged]:
    """What the model says of each photo, in order, each as soon as it is known.

    Args:
        waits: see `Reader`.

    Raises:
        PlaceError: a store does not answer, and it waits.
    """
    reader = Reader(waits=waits)

    def prepare(photo: Listed) -> Prepared | Failure:
        try:
            started = time.perf_counter()
            file = PhotoFile(reader.read(photo.path), photo.path)
            fetched = 1000 * (time.perf_counter() - started)
            prepared = pipeline.prepare(file, photo.part_id)
            return replace(prepared, milliseconds={"fetch": fetched} | prepared.milliseconds)
        except ImageError as error:
            return Failure(photo.path, str(error), photo.part_id, pipeline.model_id)

    def judge(scored: Scored | Failure) -> Judged:
        if isinstance(scored, Failure):
            return Judged(scored.to_row(), {})
        result = pipeline.judge(scored, with_map=keep_maps)
        kept = None if result.anomaly_map is None else to_bytes(result.anomaly_map)
        return Judged(result.to_row(), result.milliseconds, kept)

    return ordered_map(judge, pipeline.score_prepared(ordered_map(prepare, photos)))


class Reader:
    """Reads photos, from several threads. A store that does not answer is asked again.

    Args:
        waits: whether a store that does not answer is an error of its own, so that it can be asked again later. Else
            its photo cannot be read, and those that come after it from the same store are not asked for.
    """

    def __init__(self, *, waits: bool = False) -> None:
        self._waits = waits
        self._answered: dict[str, float] = {}  # when a store last gave a photo, or said that it is not there
        self._silent: dict[str, str] = {}  # stores, and why

    def read(self, path: str) -> bytes:
        """The bytes of a photo's file, anywhere.

        Raises:
            ImageError: it cannot be read.
            PlaceError: its store does not answer, has not given another photo meanwhile, and it waits.
        """
        if "://" not in path:
            return images.read_bytes(Path(path))
        store, started = _store(path), time.monotonic()
        if why := self._silent.get(store):
            raise ImageError(f"{path} was not asked for, as its store does not answer: {why}")
        try:
            data = Place.at(path, tries=TRIES).read("")
        except FileNotFoundError:
            self._answered[store] = time.monotonic()
            raise ImageError(f"{path} is not there any more.") from None
        except AndonError as error:
            if isinstance(error, PlaceError) and not error.is_final and self._answered.get(store, 0.0) < started:
                if self._waits:
                    raise
                self._silent[store] = str(error)
            raise ImageError(str(error)) from None
        self._answered[store] = time.monotonic()
        return data


def _store(path: str) -> str:
    """Where a photo lies: protocol, and server, bucket or account."""
    protocol, _, rest = path.partition("://")
    return f"{protocol}://{rest.partition('/')[0]}"
