"""The bytes of a photo's file: of a regular file only, and never more than fit into memory."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from andon.errors import ImageError

MAX_BYTES = 10**9  # the largest photo that is decoded, uncompressed with 16 bits, takes 0.9 GB


def sha256(data: bytes) -> str:
    """Hex digest of `data`."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        ImageError: it cannot be read, is not a file (but a folder, a pipe, a device), is empty or has more than 1 GB.
    """
    try:
        _check(path.stat(), path)  # before it is opened, which alone may wait forever or start a device
        with open(path, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            _check(found, path)
            data: bytes = file.read(found.st_size + 1)  # room for MAX_BYTES takes longer to make than to fill
            if len(data) > found.st_size:  # it grows
                data += file.read(MAX_BYTES + 1 - len(data))
    except (OSError, ValueError) as error:  # ValueError: a name that can be none
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{path} cannot be opened ({reason}); check the path and its permissions.") from None
    if not data:
        raise ImageError(f"{path} is empty (0 bytes); copy the photo again.")
    if len(data) > MAX_BYTES:
        raise _too_large(path, len(data))
    return data


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _check(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ImageError(f"{path} is {_what(found.st_mode)}, not a file; give a photo's file.")
    if found.st_size > MAX_BYTES:
        raise _too_large(path, found.st_size)


def _too_large(path: Path, size: int) -> ImageError:
    return ImageError(
        f"{path} has {'more than ' if size == MAX_BYTES + 1 else ''}{size / 1e9:.1f} GB, but a photo may have "
        f"{MAX_BYTES / 1e9:.0f} GB at most; save it smaller."
    )


def _what(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
