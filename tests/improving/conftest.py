"""A station that has inspected drawn parts, some of them reviewed, and its model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import plate_photos
import pytest

from andon import images
from andon.line.pipeline import Pipeline
from andon.models.load import load
from andon.store import KeptPhoto, NewInspection, PhotoStore, Store
from andon.store.records import Judgement
from andon.types import RgbImage

STAMP = (110, 175, 120)


def stamped(seed: int) -> RgbImage:
    """A sound part of a new lot: with a pale green stamp, which the model does not know."""
    photo = plate_photos.part(seed)
    cv2.rectangle(photo, (84, 26), (108, 38), STAMP, cv2.FILLED)
    return photo


def rusty(seed: int) -> RgbImage:
    """A part with a defect."""
    return plate_photos.rusty(seed)[0]


@dataclass(frozen=True)
class Station:
    """Inspects with a model and keeps all in a store."""

    store: Store
    data: Path
    pipeline: Pipeline

    @property
    def photos(self) -> PhotoStore:
        return PhotoStore(self.data)

    def inspect(self, photo: RgbImage, said: Judgement | None = None) -> str:
        """The inspection id of a photo that was inspected, kept and, where somebody has said something, reviewed."""
        path = self.data / "incoming.png"
        images.write(path, photo)
        kept = self.photos.keep(path.read_bytes())
        assert isinstance(kept, KeptPhoto)
        row = self.pipeline.inspect(path, with_map=False).to_row()
        path.unlink()
        self.store.inspections.add(NewInspection(row=row, photo=kept))
        if said is not None:
            self.store.reviews.add(row["inspection_id"], said, by="ann")
        return str(row["inspection_id"])

    def inspect_all(self, photos: Iterable[RgbImage], said: Judgement | None = None) -> list[str]:
        return [self.inspect(photo, said) for photo in photos]


@pytest.fixture
def station(model: Path, tmp_path: Path) -> Iterator[Station]:
    """A station where nothing was inspected yet."""
    with Store.open(None, tmp_path / "data") as store:
        yield Station(store, tmp_path / "data", load(model))


@pytest.fixture
def reviewed(station: Station) -> Station:
    """Twelve stamped parts that people call OK, and four rusty ones that they call NG."""
    station.inspect_all((stamped(seed) for seed in range(400, 412)), "OK")
    station.inspect_all((rusty(seed) for seed in range(500, 504)), "NG")
    return station
