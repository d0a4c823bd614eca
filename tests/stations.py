"""A station that inspects drawn parts with a model, and people who review them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import plate_photos
import pytest

from andon.improving import is_protected
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


def png(photo: RgbImage) -> bytes:
    """The photo as a file."""
    return bytes(cv2.imencode(".png", np.ascontiguousarray(photo[:, :, ::-1]))[1])


def digest(photo: RgbImage) -> str:
    """Of the photo's file."""
    return hashlib.sha256(png(photo)).hexdigest()


def free(seeds: Iterable[int]) -> list[int]:
    """The seeds whose stamped parts may teach."""
    return [seed for seed in seeds if not is_protected(digest(stamped(seed)))]


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
        kept = self.photos.keep(png(photo))
        assert isinstance(kept, KeptPhoto)
        row = self.pipeline.inspect(self.photos.path(kept.sha256), with_map=False).to_row()
        self.store.inspections.add(NewInspection(row=row, photo=kept))
        if said is not None:
            self.store.reviews.add(row["inspection_id"], said, by="ann")
        return str(row["inspection_id"])

    def inspect_all(self, photos: Iterable[RgbImage], said: Judgement | None = None) -> list[str]:
        return [self.inspect(photo, said) for photo in photos]


@pytest.fixture(scope="session")
def inspecting(model: Path) -> Pipeline:
    """The model's file, loaded."""
    return load(model)


@pytest.fixture(scope="session")
def reviewed_data(inspecting: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of twelve stamped parts that people call OK, and four rusty ones that they call NG. Read only."""
    data = tmp_path_factory.mktemp("reviewed") / "data"
    with Store.open(None, data) as store:
        station = Station(store, data, inspecting)
        station.inspect_all((stamped(seed) for seed in range(400, 412)), "OK")
        station.inspect_all((rusty(seed) for seed in range(500, 504)), "NG")
    return data
