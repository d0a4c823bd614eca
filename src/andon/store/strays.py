"""Photos that no entry knows: a process ended between the file and its row.

They are given an entry, and then go as all photos do that nobody needs. Nothing of this happens in a folder where
several databases keep photos, as one does not know what the other needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from andon.files import UNFINISHED
from andon.store.kept import JUST_KEPT, Found
from andon.store.photos import AHEAD, SHA256, PhotoStore
from andon.store.records import KeptPhoto
from andon.store.store import Store

DATABASES = ".databases"
"""The file in the folder of photos that names the databases that keep photos there, one a line."""


def is_alone(store: Store, photos: PhotoStore) -> bool:
    """Write down that this database keeps photos in the folder, and say whether no other one does.

    Raises:
        OSError: the folder cannot be written.
    """
    name, file = store.name_in(photos.folder.parent), photos.folder / DATABASES
    photos.make_folder()
    known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if name not in known:
        with file.open("a", encoding="utf-8") as end:
            end.write(f"{name}\n")
    return set(known) <= {name}


def take_in(store: Store, photos: PhotoStore, *, now: datetime | None = None) -> Iterator[int]:
    """Give photos without an entry one, as if they had been kept when they were written, and remove half-written files.

    What is younger than an hour stays as it is: its inspection may be about to be written.

    Yields:
        How many entries were written: for one of the 256 parts of the folder after the other.

    Raises:
        OSError: a folder or file cannot be read or removed.
        StoreError: the database cannot be used.
    """
    before = (now or datetime.now(UTC)) - JUST_KEPT
    for part in _folders(photos.folder):
        found = []
        for folder in _folders(part):
            for entry in os.scandir(folder):
                if (one := _old(entry, before)) is None:
                    continue
                if entry.name.endswith(UNFINISHED):
                    Path(entry.path).unlink(missing_ok=True)
                elif SHA256.fullmatch(entry.name):
                    found.append(one)
        yield store.kept.note(found)


def _folders(folder: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))


def _old(entry: os.DirEntry[str], before: datetime) -> Found | None:
    """The file; None where it is younger, no file, or gone."""
    try:
        stat = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    at = datetime.fromtimestamp(stat.st_mtime, UTC)
    if at > before + JUST_KEPT + AHEAD:  # the clock was wrong then
        at = before - timedelta(seconds=1)
    is_wanted = entry.is_file(follow_symlinks=False) and at < before
    return Found(KeptPhoto(sha256=entry.name, size=stat.st_size), at) if is_wanted else None
