"""A watched folder: which files lie in it, and which of them have rested and are to be looked at."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from andon import images

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoundFile:
    """A file as it lay there.

    Attributes:
        size: in bytes.
        modified_ns: the time in the file system, in nanoseconds. It is only compared with itself, as clocks go back.
    """

    path: Path
    size: int
    modified_ns: int

    @classmethod
    def at(cls, path: Path) -> FoundFile | None:
        """The file at the path as it is now; None where there is no regular file."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            return None
        return cls(path, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None

    @property
    def is_unchanged(self) -> bool:
        """Whether it still lies there so."""
        return FoundFile.at(self.path) == self


@dataclass
class _State:
    """Attributes:
    since: when it was first seen with this size and time, on the monotonic clock, as is `due`.
    due: when it is to be looked at.
    """

    file: FoundFile
    since: float
    due: float
    is_done: bool = False


class Folder:
    """The photos of a folder. One thread uses it.

    Args:
        root: as it appears in rows; it may be away for a while.
        recursive: look into the folders below, too.
        pattern: of the file's name, such as "*.png" or "cam1_*".
        settle: seconds that a file's size and time must have rested.
        patience: seconds that an unchanged file that cannot be used may still become a photo.
        without: a folder within that is left out.
    """

    def __init__(
        self,
        root: Path,
        *,
        recursive: bool = False,
        pattern: str = "*",
        settle: float = 1.0,
        patience: float = 30.0,
        without: Path | None = None,
    ) -> None:
        self.root = root
        self.key = os.path.realpath(root)
        self._walk = images.walk if recursive else images.walk_folder
        self._pattern = pattern
        self._settle = settle
        self._patience = patience
        self._without = without and Path(os.path.realpath(without))
        self._states: dict[Path, _State] = {}
        self._unreadable: dict[Path, str] = {}

    def due(self) -> list[FoundFile]:
        """The files that have rested and that nothing was said of yet, the oldest first."""
        now = time.monotonic()
        # what no longer lies there is forgotten
        self._states = {file.path: self._state(file, now) for file in self._files()}
        due = [state.file for state in self._states.values() if not state.is_done and state.due <= now]
        return sorted(due, key=lambda file: (file.modified_ns, file.path))

    def done(self, file: FoundFile) -> None:
        """It need not be looked at again while it stays as it is."""
        self._states[file.path].is_done = True

    def wait(self, file: FoundFile) -> None:
        """Look at it again when `patience` is over, or at once after it has changed."""
        state, now = self._states[file.path], time.monotonic()
        end = state.since + self._patience
        state.due = end if end > now else now + self._patience

    def may_change(self, file: FoundFile) -> bool:
        """Whether `patience` is not over yet."""
        return time.monotonic() < self._states[file.path].since + self._patience

    def relative(self, path: Path) -> str:
        """The path within the folder, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def _state(self, file: FoundFile, now: float) -> _State:
        known = self._states.get(file.path)
        return known if known is not None and known.file == file else _State(file, now, now + self._settle)

    def _files(self) -> Iterator[FoundFile]:
        found = self._walk(self.root)
        self._tell({left.path: left.why for left in found.left_out if left.is_unreadable})
        for path in found.photos:
            wanted = fnmatch(path.name, self._pattern) and not self._is_left_out(path)
            if wanted and (file := FoundFile.at(path)) is not None:
                yield file

    def _is_left_out(self, path: Path) -> bool:
        return self._without is not None and self._without in Path(os.path.realpath(path)).parents

    def _tell(self, unreadable: dict[Path, str]) -> None:
        """Say once that a folder is away, and once that it is back."""
        for path in unreadable.keys() - self._unreadable.keys():
            logger.warning("The folder %s is %s; its photos wait until it is back.", path, unreadable[path])
        for path in self._unreadable.keys() - unreadable.keys():
            logger.info("The folder %s can be read again.", path)
        self._unreadable = unreadable
