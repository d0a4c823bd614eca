"""An inspection as pages show it: photo, boxes, and why, ready for a template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import Request

from andon import images
from andon.errors import AndonError, NotFoundError
from andon.images.pillow import ON_ITS_SIDE, open_header, orientation_of
from andon.server.state import state_of
from andon.server.station import Station
from andon.store import Review, StoredInspection


@dataclass(frozen=True)
class Box:
    """Where it deviates, in the photo's pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Attributes:
    at: when it was inspected, by the server's clock; with the day, unless it is today.
    size: width and height of the photo in pixels, upright; None where it is not kept.
    has_heat: whether the version that judged it is known, so that its heat map can be made again.
    has_nearest: whether the nearest OK patch can be shown.
    reviews: that were not taken back, newest first.
    """

    inspection_id: str
    verdict: str
    part_id: str
    station: str
    model: str
    at: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    score: float | None
    threshold: float | None
    boxes: tuple[Box, ...]
    size: tuple[int, int] | None
    has_heat: bool
    has_nearest: bool
    reviews: tuple[Review, ...]

    @property
    def address(self) -> str:
        """Where the API has its pictures."""
        return f"/v1/inspections/{self.inspection_id}"


def shown(request: Request, one: StoredInspection) -> Shown:
    """What a page needs of the inspection."""
    station = state_of(request).station
    row = one.row
    size = _size(station, one)
    reviews = station.store.reviews.of(one.inspection_id)
    return Shown(
        inspection_id=one.inspection_id,
        verdict=one.verdict,
        part_id=row["part_id"] or "",
        station=one.station,
        model=f"{row['model']['name']} {row['model']['sha256'][:8]}",
        at=_in_words(one.inspected_at.astimezone()),
        reasons=tuple(row["reasons"]) or ((row["error"],) if row["error"] else ()),
        notes=tuple(row["notes"]),
        score=row["score"],
        threshold=row["threshold"],
        boxes=tuple(Box(box["x0"], box["y0"], box["x1"] - box["x0"], box["y1"] - box["y0"]) for box in row["regions"]),
        size=size,
        has_heat=_is_known(station, row["model"]["sha256"]),
        has_nearest=bool(size and row["regions"]) and _keeps_thumbnails(station, row["model"]["sha256"]),
        reviews=tuple(review for review in reviews if review.undone_at is None),
    )


def _in_words(time: datetime) -> str:
    """With the day, unless it is today."""
    is_today = time.date() == datetime.now().astimezone().date()
    return f"{time:%H:%M:%S}" if is_today else f"{time:%Y-%m-%d %H:%M:%S}"


def _size(station: Station, one: StoredInspection) -> tuple[int, int] | None:
    data = station.photos.read(one.photo_sha256) if one.photo_kept else None
    if data is None:
        return None
    try:
        header = open_header(data)
        width, height = header.size
        return (height, width) if orientation_of(header) in ON_ITS_SIDE else (width, height)
    except Exception:  # a kind that Pillow does not know
        return _size_of_pixels(data)


def _size_of_pixels(data: bytes) -> tuple[int, int] | None:
    try:
        height, width = images.decode(data, Path("The photo")).shape[:2]
    except AndonError:
        return None
    return width, height


def _is_known(station: Station, sha256: str) -> bool:
    """`andon watch` judges with the file that it was given, which need not be a version that the database knows."""
    try:
        station.store.models.get(sha256)
    except NotFoundError:
        return False
    return True


def _keeps_thumbnails(station: Station, sha256: str) -> bool:
    """Of a version that judges now; older ones are not loaded for this."""
    judging = (desk.pipeline for desk in station.desks.all())
    return any(pipeline.thumbnails and pipeline.model_id.sha256 == sha256 for pipeline in judging)
