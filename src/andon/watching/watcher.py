"""The watcher: what has come into a folder is inspected, and written into the store, once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from andon import images
from andon.errors import AndonError, ImageError, StoreError
from andon.images.files import MAX_BYTES
from andon.ordered_map import ordered_map
from andon.rows import Cells, utf8
from andon.store import Store, WatchedFile
from andon.watching.afterwards import Afterwards, Leave
from andon.watching.folder import Folder, FoundFile
from andon.watching.inspector import Arrived, Inspector, Written

logger = logging.getLogger(__name__)

MANY = 100
"""With more new files than these the store is asked which it knows by path, size and time, before any is read."""

REST = 2.0
"""After a look comes a rest of so many times what listing took, so that many files do not take a whole processor."""

PORTION_FILES, PORTION_BYTES = 32, 2**28
"""What is read at once."""


@dataclass(frozen=True)
class _Opened:
    """A file that was looked into.

    Attributes:
        content: empty where it could not be read.
        known: the inspection of this content; None where it is new.
        error: why it is no photo; "" where it is one.
        is_away: whether it could not be read for a reason that may pass.
    """

    file: FoundFile
    content: bytes = field(default=b"", repr=False)
    known: str | None = None
    error: str = ""
    is_away: bool = False


class Watcher:
    """Has what comes into a folder inspected.

    A file is taken when it has rested and decodes. The hash of its content is written together with its inspection, so
    no content of the folder is inspected twice, whoever restarts and whatever is renamed: the same content under two
    names is one photo. A file that is no photo in the end is a row with the verdict "error", once for its name and
    content.

    Args:
        every: seconds between two looks into the folder; longer where listing its files takes long.
    """

    def __init__(
        self,
        folder: Folder,
        store: Store,
        inspector: Inspector,
        *,
        afterwards: Afterwards | None = None,
        every: float = 1.0,
    ) -> None:
        self._folder = folder
        self._store = store
        self._inspector = inspector
        self._afterwards = Leave() if afterwards is None else afterwards
        self._every = every
        self._stopping = Event()
        self._thread: Thread | None = None
        self._trouble = ""
        self._listing_took = 0.0
        self.error: Exception | None = None
        """Why a watcher in a thread has ended by itself; None where it has not."""

    def rows(self) -> Iterator[Cells]:
        """Look into the folder again and again, and yield each row once it is in the store, until `stop`.

        A folder or a database that is away is waited for.

        Raises:
            AndonError: inspecting is impossible.
        """
        while not self._stopping.is_set():
            try:
                yield from self.look()
                self._trouble = ""
            except StoreError as error:
                if self._trouble != str(error):  # a trouble that lasts is told once
                    logger.warning("%s Until then nothing in %s is inspected.", error, self._folder.root)
                self._trouble = str(error)
            self._stopping.wait(max(self._every, REST * self._listing_took))

    def look(self) -> Iterator[Cells]:
        """Look into the folder once, and yield the row of each photo that was new.

        Raises:
            StoreError: the database cannot be used.
            AndonError: inspecting is impossible.
        """
        began = time.monotonic()
        files = self._folder.due()
        self._listing_took = time.monotonic() - began
        if len(files) > MANY:
            files = self._unknown(files)
        for portion in _portions(files):
            if self._stopping.is_set():
                return
            photos = [opened for opened in ordered_map(self._open, portion) if self._is_ready(opened)]
            yield from self._fail([opened for opened in photos if opened.error])
            yield from self._inspect([opened for opened in photos if not opened.error])

    def stop(self) -> None:
        """Take no more; what was taken is finished. Any thread, or a signal handler, may call it."""
        self._stopping.set()

    def start(self) -> None:
        """Run in a thread until `stop`."""
        self._thread = Thread(target=self._run, name=f"andon-watch {self._folder.root}", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread, at most `timeout` seconds, and say whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for _ in self.rows():
                pass
        except Exception as error:
            self.error = error
            expected = isinstance(error, AndonError)
            logger.error("%s is no longer watched: %s", self._folder.root, error, exc_info=not expected)

    def _unknown(self, files: list[FoundFile]) -> list[FoundFile]:
        """Those that the store does not know as they lie there; nothing is left to do with the others."""
        by_path = {self._folder.relative(file.path): file for file in files}
        known = set()
        for one in self._store.watched.each(self._folder.key):
            file = by_path.get(one.path)
            if file is not None and (file.size, file.modified_ns) == (one.size, one.modified_ns):
                known.add(file.path)
        unknown = []
        for file in files:
            if file.path in known and self._afterwards.is_done(file):
                self._folder.done(file)
            else:
                unknown.append(file)
        return unknown

    def _open(self, file: FoundFile) -> _Opened:
        try:
            content = images.read_bytes(file.path)
        except ImageError as error:
            return _Opened(file, error=str(error), is_away=0 < file.size <= MAX_BYTES)
        known = self._store.watched.inspection_of(self._folder.key, images.sha256(content))
        return _Opened(file, content, known, "" if known else _why_no_photo(content, file.path))

    def _is_ready(self, opened: _Opened) -> bool:
        """Whether it is to be inspected now: it is new, whole, and a photo, or will never be one."""
        file = opened.file
        if not file.is_unchanged or (opened.content and len(opened.content) != file.size):
            return False
        if opened.known is not None:
            self._finish(file, self._row_of(file, opened.known))
            return False
        if opened.is_away:
            logger.warning("%s It is tried again later.", opened.error)
        if opened.is_away or (opened.error and self._folder.may_change(file)):
            self._folder.wait(file)
            return False
        return True

    def _fail(self, files: list[_Opened]) -> Iterator[Cells]:
        for opened in files:
            # by its name, too: two empty files are two photos that went wrong
            name = self._folder.relative(opened.file.path).encode(errors="surrogateescape")
            photo = self._arrived(opened, images.sha256(name + b"\0" + opened.content))
            yield from self._written(opened.file, self._inspector.fail(photo, utf8(opened.error)))

    def _inspect(self, files: list[_Opened]) -> Iterator[Cells]:
        if not files:
            return
        photos = [self._arrived(opened, images.sha256(opened.content)) for opened in files]
        for opened in files:
            self._begin(opened.file)
        for opened, written in zip(files, self._inspector.inspect(photos), strict=True):
            if written is not None:
                yield from self._written(opened.file, written)

    def _arrived(self, opened: _Opened, sha256: str) -> Arrived:
        file = opened.file
        path = self._folder.relative(file.path)
        watched = WatchedFile(
            sha256=sha256, folder=self._folder.key, path=path, size=file.size, modified_ns=file.modified_ns
        )
        return Arrived(opened.content, utf8(str(file.path)), watched)

    def _written(self, file: FoundFile, written: Written) -> Iterator[Cells]:
        is_new = written.added.is_new
        row = written.row if is_new else self._row_of(file, written.added.inspection_id)
        self._finish(file, row)
        if is_new:
            yield row

    def _row_of(self, file: FoundFile, inspection_id: str) -> Cells:
        """The row of a content that was inspected before; it is told where that had another name."""
        row = self._store.inspections.get(inspection_id).row
        if row["path"] != str(file.path):
            logger.info("%s has the same content as %s, so it is not inspected again.", file.path, row["path"])
        return row

    def _begin(self, file: FoundFile) -> None:
        try:
            self._afterwards.begin(file)
        except OSError as error:
            logger.warning("The tag of an older photo %s cannot be removed (%s).", file.path, error.strerror)

    def _finish(self, file: FoundFile, row: Cells) -> None:
        try:
            self._afterwards.finish(file, row)
        except OSError as error:
            logger.warning(
                "%s was inspected, but cannot be moved or tagged (%s); it is tried again later.",
                file.path,
                error.strerror or error,
            )
            self._folder.wait(file)
        else:
            self._folder.done(file)


def _why_no_photo(content: bytes, path: Path) -> str:
    try:
        images.load(content, path)
    except ImageError as error:
        return str(error)
    return ""


def _portions(files: list[FoundFile]) -> Iterator[list[FoundFile]]:
    """The files in order, as many at once as is good for batches and fits into memory."""
    portion: list[FoundFile] = []
    size = 0
    for file in files:
        if portion and (len(portion) == PORTION_FILES or size + file.size > PORTION_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(file)
        size += file.size
    if portion:
        yield portion
