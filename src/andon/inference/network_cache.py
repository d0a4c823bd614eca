"""Compiled networks, kept between runs: compiling one takes longer than inspecting a photo.

What lies there is never trusted: each entry carries the digest of its content, and one that does not fit, cannot be
read, or belongs to somebody else is built again. There may be no cache at all: no home folder, a read-only disk.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from andon.files import write_whole

PRIVATE = 0o700
MOST_BYTES = 2 * 2**30  # of all entries; the ones that were used longest ago go first
DIGEST_BYTES = 32


def get(key: str) -> bytes | None:
    """What `put` was given under this key; None where there is nothing that can be trusted."""
    folder = _folder()
    if folder is None:
        return None
    try:
        stored = (folder / key).read_bytes()
        os.utime(folder / key)
    except OSError:
        return None
    digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == digest else None


def put(key: str, content: bytes) -> None:
    """Keep the content, where there is a cache, and drop what has not been used for longest."""
    folder = _folder()
    if folder is None:
        return
    with suppress(OSError):  # a full disk must not stop an inspection
        write_whole(folder / key, hashlib.sha256(content).digest() + content)
        _drop_oldest(folder)


def cache_folder() -> Path | None:
    """Where the entries are; everything in it can be deleted. None where there is no home folder."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(base) / "andon" / "networks"


def _folder() -> Path | None:
    """The folder, made where it is missing; None where it cannot be made for this user alone."""
    folder = cache_folder()
    if folder is None:
        return None
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            if folder.stat().st_uid != os.getuid():
                return None
            folder.chmod(PRIVATE)
    except OSError:
        return None
    return folder


def _drop_oldest(folder: Path) -> None:
    newest_first = sorted(_entries(folder), key=lambda entry: entry[1].st_mtime, reverse=True)
    total = 0
    for path, state in newest_first:
        total += state.st_size
        if total > MOST_BYTES:
            path.unlink(missing_ok=True)


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.iterdir():
        with suppress(OSError):  # another process was faster
            if path.is_file():
                yield path, path.stat()
