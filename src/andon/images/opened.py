"""Photos that are needed several times, each opened and decoded once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from andon import resources
from andon.images.decode import Photo, load
from andon.images.files import read_bytes, sha256
from andon.images.scale import learn_scale
from andon.types import RgbImage

SHARE_OF_MEMORY = 0.15
MOST_BYTES = 2**30


@dataclass(frozen=True, eq=False)
class Opened:
    """A photo, and the sha256 of its file in hex."""

    photo: Photo
    sha256: str

    @property
    def image(self) -> RgbImage:
        """(H, W, 3) uint8 RGB."""
        return self.photo.image


class OpenedPhotos:
    """Opens photos, and keeps them while they fit into memory; what does not fit is read again. Any thread may ask.

    Args:
        white: see `images.load`.
    """

    def __init__(self, white: float | None = None) -> None:
        self._white = white
        self._kept: dict[Path, Opened] = {}
        self._room = min(MOST_BYTES, int(SHARE_OF_MEMORY * resources.available_memory()))
        self._lock = Lock()

    def open(self, path: Path) -> Opened:
        """The photo at `path`.

        Raises:
            ImageError: see `images.load`.
        """
        if path in self._kept:
            return self._kept[path]
        data = read_bytes(path)
        opened = Opened(load(data, path, self._white), sha256(data))
        with self._lock:
            if path not in self._kept and self._room >= opened.image.nbytes:
                self._room -= opened.image.nbytes
                self._kept[path] = opened
        return opened

    def learn_white(self, paths: list[Path]) -> float | None:
        """The value that is white in the photos at `paths`, where they do not say it themselves; else None.

        Those that were opened before, with a guess of their own, are opened again.
        """
        guessed = [path for path in paths if self.open(path).photo.is_guessed]
        self._white = learn_scale(guessed) if guessed else None
        for path in [path for path, opened in self._kept.items() if opened.photo.is_guessed]:
            with self._lock:
                self._room += self._kept.pop(path).image.nbytes
        return self._white
