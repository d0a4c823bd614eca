"""Two versions of a model on the photos that the line has seen last: whose verdict would be another one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from andon.errors import ImageError, InputError
from andon.line.pipeline import PhotoFile, Pipeline
from andon.rows import VERDICTS
from andon.server.background import Task
from andon.server.station import Station
from andon.server.versions import ready
from andon.store import Filter, StoredInspection, StoredModel

KIND = "compare"
MOST = 200
PAUSE = 0.05


@dataclass(frozen=True)
class Said:
    """What a version says of a photo. An error has neither score nor threshold."""

    verdict: str
    score: float | None = None
    threshold: float | None = None

    @property
    def relative(self) -> float:
        """The score in thresholds, as scores of two versions need not be on one scale."""
        return self.score / self.threshold if self.score is not None and self.threshold else 0.0


@dataclass(frozen=True)
class Twice:
    """A photo, and what both versions say of it."""

    inspection_id: str
    name: str
    first: Said
    second: Said

    @property
    def is_changed(self) -> bool:
        """Whether the verdicts differ."""
        return self.first.verdict != self.second.verdict

    @property
    def change(self) -> tuple[int, float]:
        """How much has changed: the verdict first, and then the score."""
        # the farther apart two verdicts are, the more has changed
        steps = abs(VERDICTS.index(self.first.verdict) - VERDICTS.index(self.second.verdict))
        return steps, abs(self.first.relative - self.second.relative)


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Attributes:
        photos: how many both have judged.
        counts: of photos by both verdicts, those that changed alone, the most frequent first.
        changed: those photos, the most changed first.
    """

    first: StoredModel
    second: StoredModel
    photos: int
    counts: tuple[tuple[str, str, int], ...]
    changed: tuple[Twice, ...]


def compared(station: Station, first: StoredModel, second: StoredModel, task: Task) -> Comparison:
    """Let both judge the newest photos that are kept, one at a time and only while no photo waits to be judged.

    Raises:
        InputError: no photo is kept.
        AndonError: a version cannot be used.
        EndedError: the station ends.
    """
    page = station.store.inspections.page(Filter(model_name=first.name, photo_kept=True), limit=MOST)
    newest = {one.photo_sha256: one for one in reversed(page.inspections)}  # the same photo may have come twice
    pipelines = [_pipeline(station, version) for version in (first, second)]
    photos = []
    for number, one in enumerate(newest.values()):
        task.tell(f"{number} of {len(newest)} photos")
        data = station.photos.read(one.photo_sha256)
        if data is not None:  # it may have been removed meanwhile
            said = [_said(station, pipeline, data, one, task) for pipeline in pipelines]
            photos.append(Twice(one.inspection_id, one.name, *said))
    if not photos:
        raise InputError(f"No photo that {first.name} has judged is kept, so there is nothing to compare on.")
    changed = sorted((one for one in photos if one.is_changed), key=lambda one: one.change, reverse=True)
    counts = Counter((one.first.verdict, one.second.verdict) for one in changed)
    return Comparison(first, second, len(photos), tuple((*pair, n) for pair, n in counts.most_common()), tuple(changed))


def _pipeline(station: Station, version: StoredModel) -> Pipeline:
    judging = (desk.pipeline for desk in station.desks.all())
    return next((one for one in judging if one.model_id.sha256 == version.sha256), None) or ready(version)


def _said(station: Station, pipeline: Pipeline, data: bytes, one: StoredInspection, task: Task) -> Said:
    while any(desk.waiting for desk in station.desks.all()):
        task.wait(PAUSE)
    try:
        found = pipeline.inspect(PhotoFile(data, one.name), part_id=one.row["part_id"], with_map=False)
    except ImageError:
        return Said("error")
    return Said(found.verdict, found.score, found.threshold)
