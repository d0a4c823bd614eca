"""The photos of a batch: in a folder, in a list, or in an object store. They are listed, not opened."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from andon import images
from andon.batch.place import Place
from andon.errors import InputError
from andon.images.walk import MARKER, SYSTEM_FOLDERS, why_no_photo
from andon.line.pipeline import part_id_of

LISTS = (".txt", ".csv")
TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified")
"""Under which the file systems of fsspec say when a file was changed."""


class Listed(NamedTuple):
    """A photo of the source.

    Attributes:
        path: absolute, or a URL.
        modified: when the file was last changed, in UTC; None where the source does not say.
    """

    path: str
    modified: datetime | None = None
    part_id: str | None = None


class Source:
    """Photos to inspect.

    Args:
        place: a folder, a photo, a list of photos, or a URL of one of these.
        part_id_from: finds the part id in a photo's file name; what a list says counts more.

    Attributes:
        url: the place, as other computers find it.
        part_id_from: as it was given.
        left_out: why files were no photos, and how many; complete when all photos have been iterated.
    """

    def __init__(self, place: str, part_id_from: re.Pattern[str] | None = None) -> None:
        self._place = Place.at(place)
        self.part_id_from = part_id_from
        self.url = self._place.url
        self.left_out: Counter[str] = Counter()

    def require(self) -> None:
        """Raises:
        InputError: there is no such place, it cannot be reached, or is neither a folder nor a file.
        """
        if not self._place.is_there:
            raise InputError(f"{self.url} is not there; give a folder of photos, a list (.txt, .csv), or a URL.")
        path = Path(self._place.root)
        if self._place.is_local and not (path.is_dir() or path.is_file()):
            raise InputError(f"{self.url} is a pipe or a device; save the list, or the photo, as a file.")

    def __iter__(self) -> Iterator[Listed]:
        """Every photo, folder by folder.

        Raises:
            InputError: there is no such place, or it cannot be read.
        """
        self.require()
        place = self._place
        if self._is_folder():
            yield from self._in_local_folder() if place.is_local else self._below(place.root)
        elif place.root.lower().endswith(LISTS):
            yield from self._in_list()
        else:
            yield self._listed(self.url, place.ask(lambda: place.fs.info(place.root)))

    @property
    def remarks(self) -> str:
        """What was left out, in one line: "12 left out: 9 hidden, 3 .gif (not read)"; else empty."""
        if not self.left_out:
            return ""
        parts = ", ".join(f"{n} {why}" for why, n in self.left_out.most_common())
        return f"{self.left_out.total()} left out: {parts}"

    def _is_folder(self) -> bool:
        """On the web anything may be one, so there its name says that it is none."""
        place = self._place
        is_named_as_file = place.root.lower().endswith(LISTS) or images.is_image(Path(place.root))
        return (place.is_local or not is_named_as_file) and place.is_folder

    def _in_local_folder(self) -> Iterator[Listed]:
        found = images.walk(Path(self._place.root))
        for item in found.left_out:
            self.left_out[item.why] += 1
        for path in found.photos:
            try:
                yield self._listed(str(path), {"mtime": path.stat().st_mtime})
            except OSError:  # it is gone, or a link to nothing: inspecting says so
                yield self._listed(str(path), {})

    def _below(self, folder: str) -> Iterator[Listed]:
        """As in a local folder, by the names alone."""
        place, top = self._place, f"{folder.rstrip('/')}/"
        found = place.ask(lambda: place.fs.ls(folder, detail=True))
        paths = {str(entry["name"]).rstrip("/"): entry for entry in found}
        entries = [(path.removeprefix(top), path, paths[path]) for path in sorted(paths) if path.startswith(top)]
        if any(name == MARKER for name, _, _ in entries):
            self.left_out[f"written by Andon ({MARKER})"] += 1
            return
        folders = []
        for name, path, entry in entries:
            if entry["type"] == "directory":
                folders.append((name, path))
            elif why := why_no_photo(Path(name)):
                self.left_out[why] += 1
            elif images.is_image(Path(name)):
                yield self._listed(place.url_of(path), entry)
        for name, path in folders:
            hidden = "hidden" if name.startswith(".") else SYSTEM_FOLDERS.get(name.lower())
            if hidden:
                self.left_out[hidden] += 1
            else:
                yield from self._below(path)

    def _in_list(self) -> Iterator[Listed]:
        """A path or URL in each line; or a table with a column "path" and, if wanted, "part_id"."""
        with (
            self._place.opened("", "rb") as binary,
            io.TextIOWrapper(binary, "utf-8-sig", "surrogateescape", newline="") as file,
        ):
            yield from self._in_table(file) if self._place.root.lower().endswith(".csv") else self._in_lines(file)

    def _in_lines(self, file: Iterable[str]) -> Iterator[Listed]:
        for line in file:
            if line.strip():
                yield self._named(line.rstrip("\r\n"), None)

    def _in_table(self, file: Iterable[str]) -> Iterator[Listed]:
        rows = csv.DictReader(file)
        try:
            if "path" not in (rows.fieldnames or ()):
                raise InputError(f"{self.url} has no column 'path'; its first line must name the columns, with commas.")
            for row in rows:
                if row["path"]:
                    yield self._named(row["path"], row.get("part_id") or None)
                else:
                    self.left_out["without a path"] += 1
        except csv.Error as error:
            raise InputError(f"{self.url} cannot be read as CSV (line {rows.line_num}: {error}).") from None

    def _named(self, path: str, part_id: str | None) -> Listed:
        """Of a list, beside which a relative path begins."""
        is_whole = "://" in path or Path(path).is_absolute()
        found = path if is_whole else f"{self.url.rpartition('/')[0]}/{path}"
        return Listed(found, None, part_id or part_id_of(path, self.part_id_from))

    def _listed(self, path: str, info: Mapping[str, Any]) -> Listed:
        time = next((info[name] for name in TIMES if info.get(name)), None)
        return Listed(path, _as_time(time), part_id_of(path, self.part_id_from))


def _as_time(time: object) -> datetime | None:
    if isinstance(time, int | float):
        return datetime.fromtimestamp(time, UTC)
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return None
    return time.astimezone(UTC) if isinstance(time, datetime) else None
