"""Photos inspected: read from wherever they are, ahead and side by side."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from andon import images
from andon.batch.asking import TRIES
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


def inspect(pipeline: Pipeline, photos: Iterable[Listed], *, keep_maps: bool = False) -> Iterator[Judged]:
    """What the model says of each photo, in order, each as soon as it is known."""

    def prepare(photo: Listed) -> Prepared | Failure:
        try:
            started = time.perf_counter()
            file = PhotoFile(read(photo.path), photo.path)
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


def read(path: str) -> bytes:
    """The bytes of a photo's file, anywhere. A store that does not answer is asked again.

    Raises:
        ImageError: it cannot be read.
    """
    if "://" not in path:
        return images.read_bytes(Path(path))
    try:
        return Place.at(path, tries=TRIES).read("")
    except FileNotFoundError:
        raise ImageError(f"{path} is not there any more.") from None
    except AndonError as error:
        raise ImageError(str(error)) from None
