"""The photos themselves: files by the hash of their bytes. What the database knows of them is in `kept.py`."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import shutil
import string
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from andon.errors import ImageError
from andon.files import write_whole
from andon.store.records import KeptPhoto

LOG = logging.getLogger("andon")
FOLDER = "photos"
NEVER_FILLED = 0.05
"""The share of the disk that stays free, whatever comes in."""

AHEAD = timedelta(hours=1)
"""By so much the time of a file on a share may be ahead."""
SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class NotKept:
    """A photo that was not kept, and why, in one sentence."""

    reason: str


class PhotoStore:
    """The folder `photos` under the data folder: photos/ab/cd/abcd…. Threads may share it.

    Args:
        data: the data folder; it is made with the first photo.
        usage: what `shutil.disk_usage` says of a folder's disk.

    Attributes:
        not_kept: why `keep_or_tell` did not keep the last photo; None where it did.
    """

    def __init__(self, data: Path, *, usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage) -> None:
        self.folder = data / FOLDER
        self.not_kept: str | None = None
        self._usage = usage
        self._was_there = False
        self._writing = {digit: Lock() for digit in string.hexdigits}  # the same photo may come twice at once

    def keep(self, content: bytes, sha256: str | None = None) -> KeptPhoto | NotKept:
        """Write a photo, whole or not at all. One that is there already is not written again.

        It is not kept where the disk would have less than 5 % free, or cannot be written; then inspecting goes on.

        Args:
            sha256: of the content, where it is known.
        """
        sha256 = sha256 or hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        try:
            with self._writing[sha256[0]]:
                if self._is_there(path, sha256):
                    os.utime(path)  # so that nothing removes it before its inspection is written
                elif reason := self.full(len(content)):
                    return NotKept(reason)
                else:
                    write_whole(path, content)
        except OSError as error:
            return NotKept(f"Photos cannot be kept in {self.folder} ({error.strerror or error}).")
        return KeptPhoto(sha256=sha256, size=len(content))

    def keep_or_tell(self, content: bytes, sha256: str | None = None) -> KeptPhoto | None:
        """As `keep`; why a photo is not kept is logged, once as long as it lasts."""
        kept = self.keep(content, sha256)
        reason = kept.reason if isinstance(kept, NotKept) else None
        if reason and reason != self.not_kept:
            LOG.warning(reason)
        self.not_kept = reason
        return None if isinstance(kept, NotKept) else kept

    def full(self, size: int = 0) -> str | None:
        """Why a photo of so many bytes cannot be kept, in one sentence; None where it can.

        Raises:
            OSError: the folder cannot be made or its disk cannot be asked.
        """
        self.make_folder()
        total, _, free = self._usage(self.folder)
        if free - size >= NEVER_FILLED * total:
            return None
        return (
            f"Photos are not kept, as the disk of {self.folder} would have less than {NEVER_FILLED:.0%} free; make "
            "room or keep photos for a shorter time."
        )

    def make_folder(self) -> None:
        """Make the folder where it was never there. One that has gone since is not made anew: photos that are kept in
        the place of a share that is away would be missing as soon as it is back.

        Raises:
            OSError: it cannot be made, or has gone.
        """
        if self._was_there and not self.folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, "it was moved or removed while it was in use; put it back")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._was_there = True

    def read(self, sha256: str) -> bytes | None:
        """The bytes of a photo, checked against their hash; None where it is not kept.

        Raises:
            ImageError: the file is damaged or cannot be read.
        """
        if SHA256.fullmatch(sha256) is None:
            return None
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ImageError(f"The kept photo {path} cannot be read ({error.strerror or error}).") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ImageError(f"The kept photo {path} is damaged: its content is not what its name says; remove it.")
        return content

    def has(self, sha256: str) -> bool:
        """Whether the photo's file is there; its content is not looked at."""
        try:
            return self.path(sha256).is_file()
        except OSError:  # a share that is away
            return False

    def path(self, sha256: str) -> Path:
        """Where the photo of this hash lies, or would lie.

        Raises:
            ValueError: it is no SHA-256 in hex, 64 small letters and digits.
        """
        if SHA256.fullmatch(sha256) is None:
            raise ValueError(f"{sha256!r} is no SHA-256 in hex")
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def remove(self, sha256: str, *, kept_before: datetime, now: datetime) -> bool:
        """Remove a photo; False where it was kept again after that time, and stays. A time of its file in the future
        says nothing: the clock was wrong then.

        Raises:
            OSError: it cannot be removed.
        """
        path = self.path(sha256)
        with self._writing[sha256[0]], suppress(FileNotFoundError):
            if kept_before.timestamp() <= path.stat().st_mtime <= (now + AHEAD).timestamp():
                return False
            path.unlink()
        return True

    @staticmethod
    def _is_there(path: Path, sha256: str) -> bool:
        """Whether it is there and whole."""
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        except FileNotFoundError:
            return False
