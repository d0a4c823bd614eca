"""Probe photos: what an exported model must judge as the reference does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from andon import datasets, images
from andon.errors import DatasetError
from andon.images import sha256
from andon.line import nearest_ok
from andon.models.taught import Taught
from andon.types import RgbImage

LOG = logging.getLogger("andon")
NG = "NG"
MOST_OK, MOST_NG, MOST_DRAWN = 8, 8, 4
MOST_PIXELS = 1_500_000  # of a probe photo; larger ones are reduced, as they travel with the model
FALLBACK_SIZE = (384, 384)


@dataclass(frozen=True, eq=False)
class Probe:
    """A photo, (H, W, 3) uint8 RGB, and what it shows, for the reader."""

    name: str
    image: RgbImage

    @property
    def png(self) -> bytes:
        """The photo as a PNG file."""
        encoded: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
        _, encoded = cv2.imencode(".png", cv2.cvtColor(self.image, cv2.COLOR_RGB2BGR))
        return encoded.tobytes()


def probes_of(model: Taught, photos: Path | None) -> list[Probe]:
    """OK photos, the same with drawn defects, and NG photos.

    Args:
        photos: a folder of them, of which those that the model has not seen come first; without one, the thumbnails
            in the model stand in for OK photos. Where it has none, noise does, with a warning.

    Raises:
        DatasetError: the folder holds no photos.
        ImageError: a photo cannot be read.
    """
    ok = _from_folder(model, photos) if photos is not None else _from_thumbnails(model)
    if not ok:
        LOG.warning(
            "The model holds no photos, so what is exported is held against it on noise alone; give photos of the part "
            "with --photos."
        )
        ok = [Probe("noise", np.random.default_rng(0).integers(0, 256, (*FALLBACK_SIZE, 3), np.uint8))]
    good = [probe for probe in ok if not probe.name.startswith(NG)]
    drawn = (Probe(f"{probe.name} with a drawn defect", with_defect(probe.image, n)) for n, probe in enumerate(good))
    return [*ok, *chain.from_iterable(zip(drawn, strict=False))][: len(ok) + MOST_DRAWN]


def with_defect(image: RgbImage, seed: int) -> RgbImage:
    """The photo with a coloured stain and a scratch near its middle."""
    generator = np.random.default_rng(seed)
    height, width = image.shape[:2]
    side = min(height, width)
    y, x = (int(length * generator.uniform(0.35, 0.65)) for length in (height, width))
    stained = image.copy()
    red, green, blue = (255 - int(value) for value in image[y, x])
    colour = (red, green // 2, blue // 4)  # on a grey part, too, swapped channels must show
    cv2.circle(stained, (x, y), max(2, side // 25), colour, -1, cv2.LINE_AA)
    end = (x + int(generator.uniform(-0.2, 0.2) * side), y + int(generator.uniform(-0.2, 0.2) * side))
    cv2.line(stained, (x, y), end, colour, max(1, side // 100), cv2.LINE_AA)
    return stained


def _from_folder(model: Taught, folder: Path) -> list[Probe]:
    by_class = _by_class(model, folder)
    known = model.manifest.taught_by
    chosen = []
    for what, photos in by_class.items():
        unseen = [photo for photo in photos if sha256(images.read_bytes(photo)) not in known]
        chosen += [(what, photo) for photo in _drawn(unseen or photos, MOST_NG if what == NG else MOST_OK)]
    white = model.pipeline.white
    return [Probe(f"{what} {photo.name}", _reduced(images.read(photo, white))) for what, photo in chosen]


def _by_class(model: Taught, folder: Path) -> dict[str, list[Path]]:
    """OK and NG photos; where the folder does not say which are which, all of them as they are."""
    try:
        samples = datasets.read(folder, also_ng=model.recipe.data.ng_names).samples
    except DatasetError:
        found = images.walk(folder)
        if not found.photos:
            raise
        return {"photo": list(found.photos)}
    return {
        "OK": [sample.path for sample in samples if not sample.is_anomalous],
        NG: [sample.path for sample in samples if sample.is_anomalous],
    }


def _drawn(photos: Sequence[Path], most: int) -> Sequence[Path]:
    """At most so many, evenly from all that there are."""
    return photos if len(photos) <= most else [photos[n] for n in np.linspace(0, len(photos) - 1, most).astype(int)]


def _from_thumbnails(model: Taught) -> list[Probe]:
    return [Probe(f"OK {one.photo}", nearest_ok.read(one.jpeg)) for one in model.pipeline.thumbnails[:MOST_OK]]


def _reduced(image: RgbImage) -> RgbImage:
    scale = (MOST_PIXELS / (image.shape[0] * image.shape[1])) ** 0.5
    if scale >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
