"""Pictures of inspections, made when they are wanted, of the photo that was kept and by the version that judged."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from numpy.typing import NDArray
from PIL import Image

from andon import images
from andon.errors import AndonError, InputError, NotFoundError
from andon.images.pillow import open_header
from andon.line.anomaly_map import reduced
from andon.line.pipeline import PhotoFile, Pipeline
from andon.reports.pictures.heatmap import COLOURS, MAX_OPACITY, SCALE_END, VISIBLE_FROM
from andon.reports.pictures.nearest_ok import region_beside_nearest
from andon.reports.pictures.panel import panel
from andon.server.station import Station
from andon.server.versions import ready
from andon.store import StoredInspection
from andon.types import FloatMap, Inspection

Size = Literal["original", "view", "thumbnail"]
SIDES = {"view": 1280, "thumbnail": 240}
MOST_BYTES = 64 * 2**20
"""Of pictures that are kept in memory."""
AT_ONCE = 4


class GoneError(AndonError):
    """The photo is not kept any more."""


@dataclass(frozen=True)
class Picture:
    """The bytes of a file, and what they are."""

    data: bytes
    kind: str

    def response(self) -> Response:
        """It never changes, so whoever may see it need not ask again."""
        return Response(self.data, media_type=self.kind, headers={"cache-control": "private, max-age=86400, immutable"})


class Pictures:
    """Makes pictures, few at a time so that judging goes on beside it, and keeps the newest."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._kept: OrderedDict[tuple[str, str], Picture] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._judging = Lock()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._older: Pipeline | None = None
        self._last: tuple[str, bool, Pipeline, Inspection] | None = None

    async def answer(self, request: Request, make: Callable[[], Picture]) -> Response:
        """The picture as an answer. Those who wait take no thread that photos to judge need, and may go.

        Raises:
            GoneError: whoever asked has gone.
            AndonError: see the picture.
        """
        await request.body()  # only after it does a request know of a client that has gone
        async with self._turn:
            if await request.is_disconnected():
                raise GoneError("Nobody waits for this picture any more.")
            return (await run_in_threadpool(make)).response()

    def photo(self, inspection_id: str, size: Size) -> Picture:
        """Its photo, as it came or reduced to a JPEG.

        Raises:
            NotFoundError: there is no such inspection.
            GoneError: its photo is not kept.
        """
        if size == "original":
            data = self._photo_of(self._station.store.inspections.get(inspection_id))
            return Picture(data, _kind(data))
        return self._made(inspection_id, size, lambda one: self._reduced(one, SIDES[size]))

    def heatmap(self, inspection_id: str) -> Picture:
        """The anomaly map's colours, transparent where it is calm.

        Raises:
            NotFoundError, GoneError: see `photo`.
            InputError: the version that judged it cannot be loaded.
        """
        return self._made(inspection_id, "heatmap", self._heatmap)

    def nearest(self, inspection_id: str) -> Picture:
        """The region that deviates most, and beside it the patch of an OK photo that it looks most like.

        Raises:
            NotFoundError, GoneError, InputError: see `heatmap`; also where there is no region, or the model keeps no
                thumbnails.
        """
        return self._made(inspection_id, "nearest", self._nearest)

    def panel(self, inspection_id: str) -> Picture:
        """All that was found on one picture.

        Raises:
            NotFoundError, GoneError, InputError: see `heatmap`.
        """
        return self._made(inspection_id, "panel", self._panel)

    def _made(self, inspection_id: str, what: str, make: Callable[[StoredInspection], Picture]) -> Picture:
        key = (inspection_id, what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        one = self._station.store.inspections.get(inspection_id)
        picture = make(one)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = picture
                self._bytes += len(picture.data)
            while self._bytes > MOST_BYTES:
                _, old = self._kept.popitem(last=False)
                self._bytes -= len(old.data)
        return picture

    def _photo_of(self, one: StoredInspection) -> bytes:
        data = self._station.photos.read(one.photo_sha256) if one.photo_kept else None
        if data is None:
            raise GoneError("The photo of this inspection is not kept any more, or was not kept.")
        return data

    def _reduced(self, one: StoredInspection, side: int) -> Picture:
        data = self._photo_of(one)
        picture = Image.fromarray(images.decode(data, Path("The photo"), self._white(one)))
        picture.thumbnail((side, side))
        return Picture(_file(picture, "JPEG"), "image/jpeg")

    def _heatmap(self, one: StoredInspection) -> Picture:
        pipeline, found = self._again(one, explain=bool(one.row["regions"]))  # the page asks for its nearest patch, too
        assert found.anomaly_map is not None and pipeline.calibration is not None
        layer = heat_layer(reduced(found.anomaly_map, SIDES["view"]), pipeline.calibration.pixel_threshold)
        return Picture(_file(Image.fromarray(layer), "PNG"), "image/png")

    def _nearest(self, one: StoredInspection) -> Picture:
        _, found = self._again(one, explain=True)
        likeness = next((region.looks_like for region in found.regions if region.looks_like is not None), None)
        if likeness is None:
            raise NotFoundError("There is no OK patch to show: nothing deviates, or the model holds no thumbnails.")
        return Picture(_file(Image.fromarray(region_beside_nearest(likeness)), "JPEG"), "image/jpeg")

    def _panel(self, one: StoredInspection) -> Picture:
        pipeline, found = self._again(one, explain=True)
        assert found.photo is not None and pipeline.calibration is not None
        drawn = panel(found.photo, found, pixel_threshold=pipeline.calibration.pixel_threshold)
        return Picture(_file(Image.fromarray(drawn), "PNG"), "image/png")

    def _again(self, one: StoredInspection, *, explain: bool) -> tuple[Pipeline, Inspection]:
        """Judge the photo again, by the version that judged it, for its map; what was asked for last is at hand."""
        with self._judging:
            last = self._last
            if last and last[0] == one.inspection_id and (last[1] or not explain):
                return last[2], last[3]
            data, pipeline = self._photo_of(one), self._pipeline(one.row["model"]["sha256"])
            name = one.row["part_id"] or one.inspection_id[:8]
            wanted = explain and bool(pipeline.thumbnails)
            found = pipeline.inspect(PhotoFile(data, name), part_id=one.row["part_id"], explain=wanted)
            self._last = one.inspection_id, explain, pipeline, found
            return pipeline, found

    def _pipeline(self, sha256: str) -> Pipeline:
        in_use = [desk.pipeline for desk in self._station.desks.all()]
        for pipeline in (*in_use, *([self._older] if self._older else [])):
            if pipeline.model_id.sha256 == sha256:
                return pipeline
        try:
            self._older = ready(self._station.store.models.get(sha256))
        except AndonError as error:
            raise InputError(f"The version that judged this photo cannot be used any more: {error}") from None
        return self._older

    def _white(self, one: StoredInspection) -> float | None:
        sha256 = one.row["model"]["sha256"]
        in_use = (desk.pipeline for desk in self._station.desks.all())
        return next((pipeline.white for pipeline in in_use if pipeline.model_id.sha256 == sha256), None)


def heat_layer(anomaly_map: FloatMap, threshold: float) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 RGBA of an anomaly map (H, W), in the colours and on the scale of `heatmap.overlay`."""
    relative = anomaly_map / np.float32(max(threshold, 1e-30))
    colour = COLOURS[(np.clip(relative / SCALE_END, 0, 1) * 255).astype(np.uint8)]
    opacity = MAX_OPACITY * np.clip((relative - VISIBLE_FROM) / (1 - VISIBLE_FROM), 0, 1)
    return np.dstack([colour, (opacity * 255).astype(np.uint8)])


def _kind(data: bytes) -> str:
    """What a browser may be told that it is."""
    try:
        kind = Image.MIME.get(open_header(data).format or "", "")
    except Exception:  # a kind that Pillow does not know
        kind = ""
    return kind if kind.startswith("image/") else "application/octet-stream"


def _file(picture: Image.Image, format: str) -> bytes:
    data = io.BytesIO()
    picture.save(data, format, **({"quality": 85} if format == "JPEG" else {"compress_level": 3}))
    return data.getvalue()
