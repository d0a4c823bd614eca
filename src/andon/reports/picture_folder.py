"""A folder of pictures that holds, when a run has ended, those of that run and what is not Andon's own."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from pathlib import Path

from andon import images
from andon.types import RgbImage

LOG = logging.getLogger("andon")
WRITTEN = ".andon-pictures"
"""The file that says what Andon wrote: a line per picture, its sha256 and its name, like those of sha256sum."""


class PictureFolder:
    """Notes what it writes, so that the next run knows which pictures are an earlier run's and unchanged since."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._earlier = _read(folder / WRITTEN)
        self._now: dict[str, str] = {}

    def write(self, name: Path, picture: RgbImage) -> None:
        """Write (H, W, 3) uint8 RGB as `name` below the folder.

        Raises:
            ImageError: it cannot be written.
        """
        path = self._folder / name
        images.write(path, picture)
        digest = _digest(path)
        self._now[name.as_posix()] = digest
        with (self._folder / WRITTEN).open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{digest}  {name.as_posix()}\n")  # at once, so that a run that is cut short is known too

    def finish(self) -> None:
        """Remove the pictures of earlier runs; one that somebody has changed stays, and a warning names it."""
        for name, digests in self._earlier.items():
            path = self._folder / name
            if name in self._now or not path.is_file():
                continue
            if _digest(path) in digests:
                path.unlink()
            else:
                LOG.warning(
                    f"{path} is of an earlier run, but was changed since, so it stays; the report does not show it."
                )
        lines = [f"{digest}  {name}\n" for name, digest in self._now.items()]
        (self._folder / WRITTEN).write_text("".join(lines), encoding="utf-8", errors="surrogateescape")


def _read(file: Path) -> dict[str, set[str]]:
    """What earlier runs wrote: name -> the digests that it was written with. Names that lead elsewhere are left out."""
    written: defaultdict[str, set[str]] = defaultdict(set)
    if file.is_file():
        for line in file.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            digest, _, name = line.partition("  ")
            if name and not Path(name).is_absolute() and ".." not in Path(name).parts:
                written[name].add(digest)
    return dict(written)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
