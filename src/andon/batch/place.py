"""A folder on a disk, or what stands for one in an object store: the same few acts on either, by fsspec."""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from andon.errors import InputError, MissingDependencyError
from andon.files import UNFINISHED, write_whole

T = TypeVar("T")

WITH_FOLDERS = {"ftp", "hdfs", "sftp", "smb", "webdav"}
"""File systems that have folders, and on which a file can be seen while it is written. Beside local disks."""

FIRST_PAUSE = 0.5  # seconds, before a store that did not answer is asked again; each pause is twice the one before
TRIES = 8  # a minute, in the middle of the work
HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG}


class PlaceError(InputError):
    """A folder or store that cannot be read or written.

    Attributes:
        is_final: whether it is of no use to try again.
    """

    is_final = False


@dataclass(frozen=True)
class Place:
    """A folder that may be anywhere; names are relative to it, with "/" between folders.

    Its methods raise a `PlaceError` whatever error the file system has, but for a file that is not there.

    Attributes:
        root: without the protocol, as `fs` wants it.
        tries: how often a store that does not answer is asked.
    """

    fs: Any
    root: str
    tries: int = 1

    @classmethod
    def at(cls, url: str, tries: int = 1) -> Place:
        """The folder at a path or URL; nothing is read or made.

        Raises:
            InputError: no file system goes by the URL's protocol.
            MissingDependencyError: the package for it is not installed.
        """
        if "://" not in url:
            return cls(LocalFileSystem(), os.path.abspath(url), tries)  # noqa: PTH100 - links stay links
        try:
            fs, root = fsspec.url_to_fs(url)
        except ImportError as error:
            raise MissingDependencyError(f"{url} needs a package that is not installed: {error}.") from None
        except Exception as error:  # each file system has errors of its own
            raise InputError(f"{url} cannot be opened ({error}); give a folder, or a URL such as s3://…") from None
        return cls(fs, root.rstrip("/"), tries)

    @property
    def is_local(self) -> bool:
        """Whether it is on a disk of this computer, or a share that is mounted."""
        return isinstance(self.fs, LocalFileSystem)

    @property
    def url(self) -> str:
        """What finds it from another computer: an absolute path, or the URL."""
        return self.root if self.is_local else str(self.fs.unstrip_protocol(self.root))

    def path(self, name: str) -> str:
        """As `fs` wants it."""
        return f"{self.root}/{name}" if name else self.root

    def ask(self, act: Callable[[], T], name: str = "") -> T:
        """What `act` gives, which asks `fs` for something.

        Raises:
            PlaceError: it cannot be had, as often as it is asked.
            FileNotFoundError: it is not there.
        """
        for attempt in range(self.tries):
            try:
                return act()
            except (FileNotFoundError, InputError):
                raise
            except Exception as error:  # each file system has errors of its own
                refused = self._refused(error, name)
                if refused.is_final or attempt == self.tries - 1:
                    raise refused from error
                time.sleep(FIRST_PAUSE * 2**attempt)
        raise AssertionError("a place is asked at least once")

    def read(self, name: str) -> bytes:
        """The whole file.

        Raises:
            FileNotFoundError: it is not there.
        """
        data: bytes = self.ask(lambda: self.fs.cat_file(self.path(name)), name)
        return data

    def look_into(self, name: str, look: Callable[[IO[bytes]], T]) -> T:
        """What `look` makes of the file.

        Raises:
            FileNotFoundError: it is not there.
        """

        def act() -> T:
            self.fs.invalidate_cache(self.path(name))  # others write here, too
            with self.fs.open(self.path(name), "rb") as file:
                return look(file)

        return self.ask(act, name)

    @contextmanager
    def opened(self, name: str, mode: Literal["rb", "wb"]) -> Iterator[IO[bytes]]:
        """A file to read or write piece by piece."""
        try:
            with self.fs.open(self.path(name), mode) as file:
                yield file
        except InputError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise self._refused(error, name) from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all; on a share that is not mounted, one that is there is written over."""

        def act() -> None:
            path = self.path(name)
            if self.is_local:
                write_whole(Path(path), data)
            elif self._has_folders and not self.fs.exists(path):  # some cannot move a file onto another
                folder, _, own = path.rpartition("/")
                beside = f"{folder}/.{own}.{uuid.uuid4().hex}{UNFINISHED}"
                self.fs.makedirs(folder, exist_ok=True)
                self.fs.pipe_file(beside, data)
                self.fs.mv(beside, path)
            else:
                self.fs.pipe_file(path, data)

        self._ask_to_write(act, name)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet. False where it is: of several that try at once, one gets True.

        A store that cannot do this gives True to all; whoever wrote last is then in the file.
        """

        def act() -> bool:
            path = self.path(name)
            try:
                if not self._has_folders:
                    self.fs.pipe_file(path, data, mode="create")
                    return True
                self.make_folder(os.path.dirname(name))  # noqa: PTH120 - no path of this computer
                with self.fs.open(path, "xb") as file:  # `pipe_file` would only look whether it is there
                    file.write(data)
            except FileExistsError:
                self.fs.invalidate_cache()
                if self.fs.exists(path):
                    return False
                raise  # a file where a folder should be
            except OSError:
                if self.is_local:  # a full disk: what is there of it would be taken for somebody's
                    Path(path).unlink(missing_ok=True)
                raise
            return True

        return self._ask_to_write(act, name)

    def make_folder(self, name: str) -> None:
        """Make a folder and those above, where the file system has such; a store's bucket is never made."""
        if self._has_folders:
            self._ask_to_write(lambda: self.fs.makedirs(self.path(name), exist_ok=True), name)

    def names(self, folder: str) -> list[str]:
        """Of what lies directly in a folder; none where there is no such folder."""

        def act() -> list[str]:
            self.fs.invalidate_cache()  # others write here, too
            return sorted(str(path).rpartition("/")[2] for path in self.fs.ls(self.path(folder), detail=False))

        try:
            return self.ask(act, folder)
        except FileNotFoundError:
            return []

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            self.ask(lambda: self.fs.rm_file(self.path(name)), name)

    @property
    def _has_folders(self) -> bool:
        found = self.fs.protocol
        return self.is_local or not WITH_FOLDERS.isdisjoint([found] if isinstance(found, str) else found)

    def _ask_to_write(self, act: Callable[[], T], name: str) -> T:
        try:
            return self.ask(act, name)
        except FileNotFoundError as error:  # of its bucket
            raise self._refused(error, name) from error

    def _refused(self, error: Exception, name: str) -> PlaceError:
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().rstrip(".")
        advice = _advice(error)
        refused = PlaceError(
            f"{self.url}{'/' if name else ''}{name} cannot be used ({reason}); "
            f"{advice or 'check the address, and that it can be reached from here'}."
        )
        refused.is_final = bool(advice)
        return refused


def _advice(error: Exception) -> str:
    """What the user can do; "" where it may be enough to try again."""
    if isinstance(error, PermissionError) or getattr(error, "status", 0) in (401, 403):
        return "check what you may read and write there"
    if any(word in type(error).__name__ for word in ("Credential", "Authentication", "Logon")):
        return "give your credentials, as the store's own tools take them"
    if getattr(error, "errno", None) in HOPELESS:
        return "make room, or choose another place"
    if isinstance(error, FileNotFoundError | FileExistsError | NotADirectoryError | IsADirectoryError):
        return "check the path"
    return ""
