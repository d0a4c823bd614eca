"""The photos of a batch: in a folder, in a list, or in an object store. They are listed, not opened."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
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

    def __iter__(self) -> Iterator[Listed]:
        """Every photo, folder by folder.

        Raises:
            InputError: there is no such place, or it is a list that cannot be read.
        """
        try:
            yield from self._photos()
        except (OSError, ValueError) as error:
            raise InputError(f"{self.url} cannot be read ({error}).") from None

    @property
    def remarks(self) -> str:
        """What was left out, in one line: "12 files or folders left out: 9 hidden, 3 .gif (not read)"; else empty."""
        if not self.left_out:
            return ""
        parts = ", ".join(f"{n} {why}" for why, n in self.left_out.most_common())
        return f"{self.left_out.total()} files or folders left out: {parts}"

    def _photos(self) -> Iterator[Listed]:
        place = self._place
        if place.fs.isdir(place.root):
            yield from self._in_local_folder() if place.is_local else self._below(place.root)
        elif not place.fs.exists(place.root):
            raise InputError(f"{self.url} is not there; give a folder of photos, a list (.txt, .csv), or a URL.")
        elif place.root.lower().endswith(LISTS):
            yield from self._in_list()
        else:
            yield self._listed(self.url, place.fs.info(place.root))

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
        entries = sorted(self._place.fs.ls(folder, detail=True), key=lambda entry: str(entry["name"]))
        names = {str(entry["name"]).rstrip("/").rpartition("/")[2]: entry for entry in entries}
        if MARKER in names:
            self.left_out[f"written by Andon ({MARKER})"] += 1
            return
        folders = []
        for name, entry in names.items():
            if entry["type"] == "directory":
                folders.append((name, str(entry["name"])))
            elif why := why_no_photo(Path(name)):
                self.left_out[why] += 1
            elif images.is_image(Path(name)):
                yield self._listed(str(self._place.fs.unstrip_protocol(entry["name"])), entry)
        for name, path in folders:
            if path.rstrip("/") == folder.rstrip("/"):
                continue
            hidden = "hidden" if name.startswith(".") else SYSTEM_FOLDERS.get(name.lower())
            if hidden:
                self.left_out[hidden] += 1
            else:
                yield from self._below(path)

    def _in_list(self) -> Iterator[Listed]:
        """A path or URL in each line; or a table with a column "path" and, if wanted, "part_id"."""
        place = self._place
        with place.fs.open(place.root, "rb") as binary, io.TextIOWrapper(binary, encoding="utf-8-sig") as file:
            if place.root.lower().endswith(".txt"):
                for line in file:
                    if path := line.rstrip("\r\n"):
                        yield self._named(path, None)
                return
            rows = csv.DictReader(file)
            if "path" not in (rows.fieldnames or ()):
                raise InputError(f"{self.url} has no column 'path'; its first line must name the columns.")
            for row in rows:
                if row["path"]:
                    yield self._named(row["path"], row.get("part_id") or None)

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
