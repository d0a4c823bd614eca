"""The page of a batch, drawn when its count is right: what was found, over time, and the photos to look at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import cast

import numpy as np

from andon import progress
from andon.batch.counting import Count
from andon.batch.gathering import Entry, Gathered, Reservoir, gather, reason_of
from andon.batch.inspecting import Reader
from andon.batch.manifest import Manifest
from andon.batch.place import Place
from andon.batch.run import FAILURES
from andon.errors import ImageError
from andon.line.pipeline import PhotoFile, Pipeline
from andon.ordered_map import ordered_map
from andon.reports.pages.batch import BatchPage, Card, Host, Reason
from andon.reports.pages.batch_charts import Bar
from andon.reports.pages.gallery import Picture
from andon.reports.pictures.jpeg import to_jpeg
from andon.reports.pictures.views import views_of
from andon.rows import VERDICTS
from andon.types import Inspection, Verdict

FILE = "summary.html"
SIDE = 224  # of a view, in pixels: a hundred photos make a page of 2 to 5 MB
HIGH = 0.95
DRAWING = 2  # photos at once: one is read while another is inspected, which takes all cores
SHARD = attrgetter("shard")


def write_summary(place: Place, manifest: Manifest, found: Count, pipeline: Pipeline) -> str:
    """Write the page into the batch, in place of an older one, and say where it is.

    Args:
        found: the count, which is right.
        pipeline: the batch's model, which inspects again what the page shows.

    Raises:
        InputError: a part is gone.
        PlaceError: the batch cannot be read or written.
    """
    gathered = gather(place, manifest)
    shown = [*gathered.worst.entries, *gathered.invalid.entries]
    cards = list(progress.track(_cards(place, manifest, pipeline, shown), "photos drawn", len(shown)))
    n_worst = len(gathered.worst.entries)
    page = _page(place, manifest, found, pipeline, gathered, cards[:n_worst], cards[n_worst:])
    place.write(FILE, page.to_html().encode(errors="backslashreplace"))  # a file's name need not be UTF-8
    return f"{place.url}/{FILE}"


def _page(
    place: Place,
    manifest: Manifest,
    found: Count,
    pipeline: Pipeline,
    gathered: Gathered,
    worst: list[Card],
    invalid: list[Card],
) -> BatchPage:
    calibration = pipeline.calibration
    assert calibration is not None  # it has judged
    reasons = sorted(gathered.reasons.values(), key=lambda reason: -reason.count)
    return BatchPage(
        title=f"Batch of {manifest.photos:,} photos",
        subtitle=f"{manifest.model}, {manifest.source}",
        photos=found.photos,
        verdicts=found.verdicts,
        provenance=list(_provenance(place, manifest, gathered)),
        bars=[
            _bar(gathered.timeline.label(bar), counts.tolist(), scores)
            for bar, (counts, scores) in enumerate(zip(gathered.counts, gathered.scores, strict=True))
        ],
        unit=gathered.timeline.unit,
        without_time=gathered.without_time,
        worst=worst,
        invalid=invalid,
        failures=[Reason(one.text, one.count, one.paths) for one in reasons],
        failures_list=FAILURES,
        stages=found.stages,
        hosts=[Host(name, one.shards, one.photos, one.seconds) for name, one in sorted(gathered.hosts.items())],
        shards=manifest.shards,
        retried=sum(shards for attempt, shards in gathered.attempts.items() if attempt > 1),
        threshold=calibration.threshold,
        review_threshold=calibration.review_threshold,
        pixel_threshold=calibration.pixel_threshold,
    )


def _provenance(place: Place, manifest: Manifest, gathered: Gathered) -> Iterator[tuple[str, str]]:
    yield "Photos from", manifest.source
    yield "Verdicts in", f"{place.url}/parts"
    yield "Model", manifest.model
    yield "Its sha256", manifest.model_sha256
    yield "Begun", manifest.created
    if gathered.first is not None and gathered.last is not None:
        yield "Inspected", f"from {gathered.first:%Y-%m-%d %H:%M:%S} to {gathered.last:%Y-%m-%d %H:%M:%S} UTC"
    yield "Precision", manifest.precision
    yield "Guard", "on" if manifest.guard else "off, so no photo is invalid"
    yield "Maps kept", f"{place.url}/maps" if manifest.keep_maps else "no"
    yield "Andon", manifest.andon_version


def _bar(label: str, counts: list[int], scores: Reservoir) -> Bar:
    verdicts = dict(zip(VERDICTS, counts, strict=True))
    if not len(scores.kept):
        return Bar(label=label, verdicts=verdicts)
    median, high = np.quantile(scores.kept, [0.5, HIGH]).tolist()
    return Bar(label=label, verdicts=verdicts, median=median, high=high)


def _cards(place: Place, manifest: Manifest, pipeline: Pipeline, entries: Sequence[Entry]) -> Iterator[Card]:
    """In their order, with pictures where the photo is still there and still the same."""
    reader = Reader()
    files: dict[Entry, str] = {}  # the path in a part is text, and a file's name need not be
    for shard, of_shard in groupby(sorted(entries, key=SHARD), SHARD):
        photos = manifest.read_shard(place, shard)
        files |= {entry: photos[entry.row].path for entry in of_shard}

    def draw(entry: Entry) -> Card:
        card = Card(path=entry.path, verdict=entry.verdict, score=entry.score, reasons=entry.reasons)
        try:
            inspection = pipeline.inspect(PhotoFile(reader.read(files[entry]), files[entry]))
        except ImageError as error:
            return replace(card, why_none=f"No picture: {reason_of(files[entry], str(error))}")
        if inspection.sha256 != entry.sha256:
            return replace(card, why_none="No picture: the file has changed since it was inspected.")
        return replace(card, pictures=_pictures(pipeline, replace(inspection, verdict=cast(Verdict, entry.verdict))))

    return ordered_map(draw, entries, workers=DRAWING)


def _pictures(pipeline: Pipeline, inspection: Inspection) -> tuple[Picture, ...]:
    assert inspection.photo is not None and pipeline.calibration is not None  # asked for, and it has judged
    views = views_of(inspection.photo, inspection, pipeline.calibration.pixel_threshold, side=SIDE)
    return tuple(Picture(view.caption, to_jpeg(view.picture)) for view in views)
