"""A folder on a disk, or what stands for one in an object store: the same few acts on either, by fsspec."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeVar
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from andon.batch.asking import CREDENTIALS, ask, exists_already, is_login, refusal
from andon.errors import InputError, MissingDependencyError
from andon.files import UNFINISHED, write_whole

T = TypeVar("T")

WITH_FOLDERS = {"ftp", "hdfs", "sftp", "smb", "webdav"}
"""File systems that have folders, and on which a file can be seen while it is written. Beside local disks."""

OPTIONS = {"smb": {"share_access": "rwd"}}
"""Of a file that is open, others may read and write it, too; SMB lets nobody near it unless told."""

FSSPEC_PASSWORD = "leave it out and set FSSPEC_{0}_USERNAME and FSSPEC_{0}_PASSWORD"
WEB_PASSWORD = """leave it out, write it into ~/.netrc and set FSSPEC_HTTP='{"client_kwargs": {"trust_env": true}}'"""


@dataclass(frozen=True)
class Place:
    """A folder that may be anywhere; names are relative to it, with "/" between folders.

    Its methods raise a `PlaceError` whatever error the file system has, but for a file that is not there.

    Attributes:
        root: without the protocol, as `fs` wants it.
        tries: how often a store that does not answer is asked.
        given: the URL by which `fs` and `root` were found; it also names the server or the account.
    """

    fs: Any
    root: str
    tries: int = 1
    given: str = ""

    @classmethod
    def at(cls, url: str, tries: int = 1) -> Place:
        """The folder at a path or URL; nothing is read or made.

        Raises:
            InputError: no file system goes by the URL's protocol, or a password stands in it.
            MissingDependencyError: the package for it is not installed.
            PlaceError: it cannot be reached, as often as it is asked.
        """
        if "://" not in url:
            return cls(LocalFileSystem(), os.path.abspath(url), tries)  # noqa: PTH100 - links stay links
        _require_no_password(url)

        def find() -> tuple[Any, str]:
            try:
                found: tuple[Any, str] = fsspec.url_to_fs(url, **OPTIONS.get(url.partition("://")[0], {}))
                return found
            except ImportError as error:
                raise MissingDependencyError(f"{url} needs a package that is not installed: {error}.") from None
            except ValueError as error:
                if isinstance(error.__cause__, OSError):  # as SMB says that nobody answers
                    raise
                is_known = url.partition(":")[0] in fsspec.available_protocols()
                advice = CREDENTIALS if is_known else "give a folder, or a URL such as s3://…"
                raise InputError(f"{url} cannot be opened ({str(error).rstrip('!.')}); {advice}.") from None

        try:
            fs, root = ask(find, url, tries)
        except FileNotFoundError as error:  # what holds the credentials, perhaps
            raise refusal(error, url) from error
        for package in (type(fs).__module__.partition(".")[0], "smbprotocol"):  # they log what they raise, too
            logging.getLogger(package).setLevel(logging.CRITICAL)
        return cls(fs, root.rstrip("/"), tries, url if url.endswith("://") else url.rstrip("/"))

    @property
    def is_local(self) -> bool:
        """Whether it is on a disk of this computer, or a share that is mounted."""
        return isinstance(self.fs, LocalFileSystem)

    @property
    def url(self) -> str:
        """What finds it from another computer: an absolute path, or the URL."""
        return self.url_of(self.root)

    def url_of(self, path: str) -> str:
        """The same of a path below, as `fs` gives it."""
        if self.is_local:
            return path
        if self.given and f"{path}/".startswith(f"{self.root}/"):
            return self.given + path.removeprefix(self.root)
        return str(self.fs.unstrip_protocol(path))

    def path(self, name: str) -> str:
        """As `fs` wants it."""
        return f"{self.root}/{name}" if name else self.root

    def ask(self, act: Callable[[], T], name: str = "") -> T:
        """What `act` gives, which asks `fs` for something.

        Raises:
            PlaceError: it cannot be had, as often as it is asked.
            FileNotFoundError: it is not there.
        """
        return ask(lambda: self._connected(act), self._where(name), self.tries)

    @property
    def is_there(self) -> bool:
        """Whether there is a folder or a file."""
        return self._info() is not None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder; of an address on the web, whether it is a page with links."""
        if self._has_folders:
            return (self._info() or {}).get("type") == "directory"
        return bool(self.ask(lambda: self.fs.isdir(self.root)))

    def _info(self) -> dict[str, Any] | None:
        """`exists` would say of a share that is away that nothing is there."""
        with suppress(FileNotFoundError):
            info: dict[str, Any] = self.ask(lambda: self.fs.info(self.root))
            return info
        return None

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
            with self._connected(lambda: self.fs.open(self.path(name), mode)) as file:
                yield file
        except InputError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise refusal(error, self._where(name)) from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all; on a share that is not mounted, one that is there is written over."""

        def act() -> None:
            path = self.path(name)
            if self.is_local:
                write_whole(Path(path), data)
            elif not self._has_folders or self.fs.exists(path) or not self._move_there(path, data):
                self.fs.pipe_file(path, data)

        self._ask_to_write(act, name)

    def _move_there(self, path: str, data: bytes) -> bool:
        """Write beside it, then rename; False where it is there by now, as some cannot move a file onto another."""
        folder, _, own = path.rpartition("/")
        beside = f"{folder}/.{own}.{uuid.uuid4().hex}{UNFINISHED}"
        self._make_folders(folder)
        self.fs.pipe_file(beside, data)
        try:
            self.fs.mv(beside, path)
        except Exception as error:  # each file system has errors of its own
            with suppress(Exception):
                self.fs.rm_file(beside)
            if exists_already(error):
                return False
            raise
        return True

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
            except Exception as error:  # each file system has errors of its own
                if exists_already(error):
                    self.fs.invalidate_cache()
                    if self.fs.exists(path):
                        return False  # else a file is where a folder should be
                elif self.is_local:  # a full disk: what is there of it would be taken for somebody's
                    Path(path).unlink(missing_ok=True)
                raise
            return True

        return self._ask_to_write(act, name)

    def make_folder(self, name: str) -> None:
        """Make a folder and those above, where the file system has such; a store's bucket is never made."""
        if self._has_folders:
            self._ask_to_write(lambda: self._make_folders(self.path(name)), name)

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
        return self.is_local or not WITH_FOLDERS.isdisjoint(self._protocols)

    @property
    def _protocols(self) -> Sequence[str]:
        found = self.fs.protocol
        return [found] if isinstance(found, str) else found

    def _make_folders(self, path: str) -> None:
        if "smb" in self._protocols:  # it would look without end for the share that it is to make
            self.fs.info("/".join(path.split("/")[:2]))
        self.fs.makedirs(path, exist_ok=True)

    def _ask_to_write(self, act: Callable[[], T], name: str) -> T:
        try:
            return self.ask(act, name)
        except FileNotFoundError as error:  # of its bucket
            raise refusal(error, self._where(name)) from error

    def _where(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url

    def _connected(self, act: Callable[[], T]) -> T:
        """What `act` gives. SMB connects again by itself when a connection was lost, but without the password."""
        if "smb" not in self._protocols:
            return act()
        self.fs._connect()  # where it is not
        try:
            return act()
        except Exception as error:  # each file system has errors of its own
            if is_login(error):
                raise ConnectionError("the connection was lost") from error
            raise


def _require_no_password(url: str) -> None:
    """Raises:
    InputError: it would stand in every row.
    """
    try:
        parts = urlsplit(url)
        password, server = parts.password, parts.hostname
    except ValueError:  # whoever opens it says so
        return
    if password is not None:
        advice = WEB_PASSWORD if parts.scheme in ("http", "https") else FSSPEC_PASSWORD.format(parts.scheme.upper())
        raise InputError(f"The URL of {server} holds a password, which would stand in every row; {advice}.")
