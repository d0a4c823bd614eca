"""The files that an SQLite database is in: whether those that were opened still lie where they lay.

An open file that is removed, moved or replaced goes on being written, without a word from SQLite, and what is written
into it afterwards is lost.
"""

from __future__ import annotations

from pathlib import Path

from andon.errors import StoreError

WITH_IT = ("", "-wal", "-shm")
"""The endings of the file's name: of the database itself, of its log, and of what its processes share."""

Identity = tuple[int, int]


class HeldFiles:
    """Knows the files of one database since it was first used. Threads may share it.

    Args:
        path: of the database's file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._paths = [path.with_name(path.name + ending) for ending in WITH_IT]
        self._known: dict[Path, Identity] = {}

    def learn(self) -> None:
        """Take the files as they lie there now for those that are open; those that are known stay as they are."""
        for path in self._paths:
            if path not in self._known and (found := _identity(path)) is not None:
                self._known[path] = found

    def forget(self) -> None:
        """None is open any more."""
        self._known.clear()

    def check(self) -> None:
        """See that all that are open lie where they lay.

        Raises:
            StoreError: one does not.
        """
        for path, known in list(self._known.items()):
            if _identity(path) != known:
                raise StoreError(
                    f"The database {self._paths[0]} cannot be used, as {path.name} was moved, removed or replaced "
                    "while it was in use; put it back, or end all that use it and start them again."
                )


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:  # a disk that is away
        return None
    return found.st_dev, found.st_ino
