"""What a watcher hands its photos to: it inspects them and writes their rows into the store."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from andon.errors import ImageError
from andon.line.measures import looked_at, measures_of
from andon.line.pipeline import PhotoFile, Pipeline, Prepared, Scored, part_id_of
from andon.ordered_map import ordered_map
from andon.rows import Cells
from andon.store import Added, NewDelivery, NewInspection, PhotoStore, Store, WatchedFile
from andon.types import Failure, Inspection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrived:
    """A photo that came into a watched folder.

    Attributes:
        content: the bytes of its file.
        name: the `path` of its row.
        watched: what is to be written together with its inspection.
    """

    content: bytes = field(repr=False)
    name: str
    watched: WatchedFile


@dataclass(frozen=True)
class Written:
    """A row, and what the store made of it: it is there for good."""

    row: Cells
    added: Added


class Inspector(Protocol):
    """Inspects photos. What it says of one is in the store when it is given out, together with `Arrived.watched`."""

    def inspect(self, photos: Sequence[Arrived]) -> Iterable[Written | None]:
        """As many as there are photos, in their order; None for one that is to be handed in again.

        Raises:
            StoreError: the database cannot be written; what was not given out is handed in again.
            AndonError: inspecting is impossible.
        """

    def fail(self, photo: Arrived, error: str) -> Written:
        """Write that the photo cannot be inspected, as its file cannot be used.

        Raises:
            StoreError: the database cannot be written.
        """


class PipelineInspector:
    """Inspects with a pipeline of this process.

    Args:
        photos: where photos are kept; None keeps none.
        deliveries: what is to be sent of each inspection.
        part_id_from: finds the part id in a photo's file name, see `line.pipeline.part_id_of`.

    Raises:
        NotCalibratedError: the model has no threshold yet.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        *,
        photos: PhotoStore | None = None,
        station: str = "",
        deliveries: Sequence[NewDelivery] = (),
        part_id_from: re.Pattern[str] | None = None,
    ) -> None:
        pipeline.inspect_batch(())  # checks the threshold
        self._pipeline = pipeline
        self._store = store
        self._photos = photos
        self._station = station
        self._deliveries = tuple(deliveries)
        self._part_id_from = part_id_from

    def inspect(self, photos: Sequence[Arrived]) -> Iterator[Written]:
        """See `Inspector`; photos are read ahead and scored in batches."""
        judged = ordered_map(self._judge, self._pipeline.score_prepared(ordered_map(self._prepare, photos)))
        for photo, (result, measures) in zip(photos, judged, strict=True):
            yield self._write(photo, result, measures)

    def fail(self, photo: Arrived, error: str) -> Written:
        """See `Inspector`."""
        return self._write(photo, self._failure(photo, error), {})

    def _prepare(self, photo: Arrived) -> Prepared | Failure:
        file = PhotoFile(photo.content, photo.name)
        try:
            return looked_at(self._pipeline.prepare(file, self._part_id(photo), keep_image=True))
        except ImageError as error:
            return self._failure(photo, str(error))

    def _judge(self, scored: Scored | Failure) -> tuple[Inspection | Failure, dict[str, float]]:
        if isinstance(scored, Failure):
            return scored, {}
        return self._pipeline.judge(scored, with_map=False), measures_of(scored.prepared)

    def _failure(self, photo: Arrived, error: str) -> Failure:
        return Failure(photo.name, error, self._part_id(photo), self._pipeline.model_id)

    def _part_id(self, photo: Arrived) -> str | None:
        return part_id_of(photo.name, self._part_id_from)

    def _write(self, photo: Arrived, result: Inspection | Failure, measures: dict[str, float]) -> Written:
        kept = None
        if self._photos is not None and isinstance(result, Inspection):
            kept = self._photos.keep_or_tell(photo.content)
        new = NewInspection(
            row=result.to_row(),
            station=self._station,
            photo=kept,
            deliveries=self._deliveries,
            watched=photo.watched,
            measures=measures,
        )
        return Written(new.row, self._store.inspections.add(new))
