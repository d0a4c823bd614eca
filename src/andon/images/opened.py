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
        room: bytes; a share of the memory that is available, unless given.
    """

    def __init__(self, white: float | None = None, room: int | None = None) -> None:
        self._white = white
        self._kept: dict[Path, Opened] = {}
        self._digests: dict[Path, str] = {}
        self._guessed: set[Path] = set()
        self._room = min(MOST_BYTES, int(SHARE_OF_MEMORY * resources.available_memory())) if room is None else room
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
            self._digests[path] = opened.sha256
            self._guessed.discard(path)
            if opened.photo.is_guessed:
                self._guessed.add(path)
            if path not in self._kept and self._room >= opened.image.nbytes:
                self._room -= opened.image.nbytes
                self._kept[path] = opened
        return opened

    def sha256(self, path: Path) -> str:
        """Of the file at `path`, in hex; a photo that was opened before need not be read again for it.

        Raises:
            ImageError: see `open`.
        """
        return self._digests.get(path) or self.open(path).sha256

    def guessed(self, path: Path) -> bool:
        """Whether the photo, when it was opened, did not say what is white."""
        return path in self._guessed

    def learn_white(self, paths: list[Path]) -> float | None:
        """The value that is white in the photos at `paths`, where they do not say it themselves; else None.

        Args:
            paths: of photos that were opened before. Those that had to guess are opened again when they are needed.
        """
        guessed = [path for path in paths if path in self._guessed]
        self._white = learn_scale(guessed) if guessed else None
        with self._lock:
            for path in self._guessed & self._kept.keys():
                self._room += self._kept.pop(path).image.nbytes
        return self._white
