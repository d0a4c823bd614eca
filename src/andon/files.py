"""Files that are whole or not there: a name appears only when every byte is on the disk."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from andon.errors import InputError

UNFINISHED = ".unfinished"
LOCK = ".andon-lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder that results are written into, making it. The lock ends with the process.

    Raises:
        InputError: another run is writing there, or the folder cannot be written.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise InputError(
            f"Another run is writing into {folder}; wait until it has ended, or give another folder with --out."
        ) from None
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}); choose a folder with --out that you may write to."
        ) from None
    try:
        yield
    finally:
        lock.release()


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the target, then rename, making the folder; nobody ever finds half a file.

    A symbolic link is followed to its target, whose permissions stay. What a killed run left beside it is removed.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    beside = path.with_name(f"{_prefix(path)}{socket.gethostname()}.{os.getpid()}{UNFINISHED}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def keep_old(path: Path) -> Path | None:
    """Give the file at `path` a second name beside it, so that it can be replaced; None where there is none.

    Returns:
        The second name: part.old.safetensors of part.safetensors, or with a number where that is taken.

    Raises:
        OSError: it cannot be written.
    """
    path = path.resolve()
    if not path.exists():
        return None
    number = 1
    while (old := path.with_name(f"{path.stem}.old{number if number > 1 else ''}{path.suffix}")).exists():
        number += 1
    shutil.copy2(path, old)
    return old


def _prefix(path: Path) -> str:
    return f".{path.name[:64]}."


def _remove_leftovers(path: Path) -> None:
    """Of runs on this computer that are over."""
    ours = f"{_prefix(path)}{socket.gethostname()}."
    for left in path.parent.glob(f".*{UNFINISHED}"):  # the same pattern always, as Python keeps it compiled
        process = left.name.removesuffix(UNFINISHED).rpartition(".")[2]
        if left.name.startswith(ours) and process.isdigit() and not psutil.pid_exists(int(process)):
            left.unlink(missing_ok=True)
