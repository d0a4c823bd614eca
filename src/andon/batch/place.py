"""A folder on a disk, or what stands for one in an object store: the same few acts on either, by fsspec."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from andon.errors import InputError, MissingDependencyError
from andon.files import write_whole

RENAMING = ("ftp", "hdfs", "sftp", "smb", "webdav")
"""File systems on which a file can be seen while it is written, unlike in an object store. Beside local disks."""


@dataclass(frozen=True)
class Place:
    """A folder that may be anywhere; names are relative to it, with "/" between folders.

    Attributes:
        root: without the protocol, as `fs` wants it.
    """

    fs: Any
    root: str

    @classmethod
    def at(cls, url: str) -> Place:
        """The folder at a path or URL; nothing is read or made.

        Raises:
            InputError: no file system goes by the URL's protocol.
            MissingDependencyError: the package for it is not installed.
        """
        try:
            fs, root = fsspec.url_to_fs(url)
        except ImportError as error:
            raise MissingDependencyError(f"{url} needs a package that is not installed: {error}.") from None
        except ValueError as error:
            raise InputError(f"{url} cannot be opened ({error}); give a folder, or a URL such as s3://…") from None
        return cls(fs, root.rstrip("/"))

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
        return f"{self.root}/{name}"

    def read(self, name: str) -> bytes:
        """Raises:
        OSError: it is not there or cannot be read.
        """
        data: bytes = self.fs.cat_file(self.path(name))
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all, in place of one that is there."""
        path = self.path(name)
        if self.is_local:
            write_whole(Path(path), data)
        elif self.fs.protocol in RENAMING or set(self.fs.protocol) & set(RENAMING):
            beside = f"{path}.{os.getpid()}.unfinished"
            self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            self.fs.pipe_file(beside, data)
            self.fs.mv(beside, path)
        else:
            self.fs.pipe_file(path, data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet. False where it is: of several that try at once, one gets True."""
        path = self.path(name)
        self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            self.fs.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return bool(self.fs.exists(self.path(name)))

    def names(self, folder: str) -> list[str]:
        """Of the files directly in a folder; none where there is no such folder."""
        self.fs.invalidate_cache()  # others write here, too
        try:
            found = self.fs.ls(self.path(folder), detail=False)
        except FileNotFoundError:
            return []
        return sorted(str(path).rpartition("/")[2] for path in found)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            self.fs.rm_file(self.path(name))
