"""What becomes of a photo's file when its inspection is in the database: it is left, moved or tagged.

Each may be done again, as a process may end between the database and the file.
"""

from __future__ import annotations

import errno
import filecmp
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from andon.errors import InputError
from andon.files import UNFINISHED, write_whole
from andon.rows import Cells
from andon.watching.folder import FoundFile

TAG = ".andon.json"


class Afterwards(Protocol):
    """Attributes:
    folder: where files are moved to, which is not watched; None where they are not moved.
    """

    @property
    def folder(self) -> Path | None: ...

    def begin(self, file: FoundFile) -> None:
        """The file is new, and about to be inspected."""

    def is_done(self, file: FoundFile) -> bool:
        """Whether nothing is left to do with a file whose inspection is in the database."""

    def finish(self, file: FoundFile, row: Cells) -> None:
        """Do it.

        Raises:
            OSError: it cannot be done.
        """


@dataclass(frozen=True)
class Leave:
    """The file stays as it is."""

    folder: Path | None = None

    def begin(self, file: FoundFile) -> None:
        """Nothing."""

    def is_done(self, file: FoundFile) -> bool:
        """Always."""
        return True

    def finish(self, file: FoundFile, row: Cells) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Tag:
    """The row is written beside the photo: NAME.png.andon.json."""

    folder: Path | None = None

    def begin(self, file: FoundFile) -> None:
        """Remove the row of an older photo of that name."""
        tag_of(file.path).unlink(missing_ok=True)

    def is_done(self, file: FoundFile) -> bool:
        """Whether it has its row."""
        return tag_of(file.path).exists()

    def finish(self, file: FoundFile, row: Cells) -> None:
        """Write the row."""
        if file.is_unchanged:
            write_whole(tag_of(file.path), f"{json.dumps(row, ensure_ascii=False)}\n".encode(errors="backslashreplace"))


@dataclass(frozen=True)
class Move:
    """The file goes into another folder, under its path within the watched one. None that is there is overwritten."""

    root: Path
    folder: Path

    def begin(self, file: FoundFile) -> None:
        """Nothing."""

    def is_done(self, file: FoundFile) -> bool:
        """Never: it still lies there."""
        return False

    def finish(self, file: FoundFile, row: Cells) -> None:
        """Move it."""
        if not file.is_unchanged:
            return
        target = self.folder / file.path.relative_to(self.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and filecmp.cmp(file.path, target, shallow=False):  # a process ended while it moved it
            file.path.unlink()
            return
        target = _free(target)
        _move(file.path, target)
        if FoundFile.at(target) != FoundFile(target, file.size, file.modified_ns):
            target.rename(_free(file.path))  # a new photo took the name at this very moment


def afterwards(text: str, root: Path) -> Afterwards:
    """What "leave", "tag" or "move:DIR" says of the files of the folder `root`.

    Raises:
        InputError: it says none of them, or the photos would be moved to where they are.
    """
    what, _, folder = text.partition(":")
    if text in ("leave", "tag"):
        return Leave() if text == "leave" else Tag()
    if what != "move" or not folder:
        raise InputError(f"{text!r} is nothing that can be done with a photo; expected leave, tag or move:DIR.")
    if Path(folder).resolve() == root.resolve():
        raise InputError(f"The photos of {root} lie there already; give another folder after move:.")
    return Move(root, Path(folder))


def tag_of(path: Path) -> Path:
    """Where the row of the photo at `path` is written."""
    return path.with_name(path.name + TAG)


def _free(path: Path) -> Path:
    """The path itself, or one with a number where it is taken: a.png, a.2.png."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return free


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}{UNFINISHED}")
        shutil.copy2(path, beside)
        beside.replace(target)
        path.unlink()
