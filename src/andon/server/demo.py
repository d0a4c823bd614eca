"""A station to look at: a drawn set, a model of it, and photos that arrive by themselves."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event, Thread

from andon import datasets, recipes
from andon.drawn.fasteners import draw_fasteners
from andon.errors import AndonError
from andon.models.save import save
from andon.server.desk import Incoming
from andon.server.station import Station
from andon.teaching.train import teach

LOG = logging.getLogger("andon")
FOLDER = "demo"
MODEL = "fasteners.safetensors"
PHOTOS = "photos"
N_TRAIN, N_CALIBRATION, N_TEST = 48, 24, 48
SETTINGS = ("steps.resize.image_size=256", "calibration.photos_above=0")
"""Small, so that it is taught within a minute; and with a review band that some photos fall into."""
DAMAGED = 0.1
"""The share of photos of damaged parts: a line whose parts are mostly good."""
AT_ONCE = 24
"""Photos that arrive as fast as they can, so that there is something to review at once."""
EVERY = 2.0
STATION = "demo"


def prepare(data: Path, say: Callable[[str], None]) -> Path:
    """Draw photos and train a model in the data folder, unless an earlier demo did, and return the model file."""
    folder = data / FOLDER
    model = folder / MODEL
    if not model.exists():
        say(f"Drawing nuts, bolts and screws into {folder / PHOTOS}")
        draw_fasteners(folder / PHOTOS, n_train=N_TRAIN, n_calibration=N_CALIBRATION, n_test=N_TEST)
        say("Training a model on them")
        save(teach(recipes.build("default", list(SETTINGS)), datasets.read(folder / PHOTOS)), model)
    return model


class Demo:
    """Lets the photos of the drawn set arrive, over and over. A helper of a station.

    Args:
        every: seconds from one to the next.
    """

    def __init__(self, data: Path, every: float = EVERY) -> None:
        folder = data / FOLDER / PHOTOS / "test"
        self._good = sorted((folder / "good").glob("*.png"))
        self._damaged = sorted(set(folder.rglob("*.png")) - set(self._good))
        self._every = every
        self._ended = Event()
        self._thread: Thread | None = None

    def start(self, station: Station) -> None:
        """Begin."""
        self._thread = Thread(target=self._send, args=(station,), name="andon-demo", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _send(self, station: Station) -> None:
        for number, photo in enumerate(self._arriving(), 1):
            if self._ended.wait(self._every if number > AT_ONCE else 0):
                return
            incoming = Incoming(data=photo.read_bytes(), name=str(photo), part_id=f"F-{number:04d}", station=STATION)
            try:
                station.inspect(incoming)
            except AndonError as error:
                LOG.warning(str(error))

    def _arriving(self) -> Iterator[Path]:
        """Photos in the order in which they arrive, for ever; the same one only after all others of its kind."""
        rng = random.Random(0)
        good, damaged = _over_and_over(self._good, rng), _over_and_over(self._damaged, rng)
        while True:
            yield next(damaged if rng.random() < DAMAGED else good)


def _over_and_over(photos: Sequence[Path], rng: random.Random) -> Iterator[Path]:
    while True:
        yield from rng.sample(photos, len(photos))
