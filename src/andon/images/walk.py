"""Which files are photos: one rule for every command, and a word on whatever it leaves out.

A folder counts once, whatever leads to it; links are followed, and one that leads back does no harm. Hidden files and
folders, what operating systems and network drives put beside photos, and what Andon wrote itself are left out.
"""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from andon.images.formats import HEIF_ENDINGS, HEIF_HINT, is_image

MARKER = ".andon-output"
SYSTEM_FOLDERS = {
    "@eadir": "thumbnails of a network drive",
    "__macosx": "left by macOS",
    "@recycle": "a recycle bin",
    "#recycle": "a recycle bin",
    "$recycle.bin": "a recycle bin",
    "#snapshot": "snapshots of a network drive",
    "system volume information": "left by Windows",
    "lost+found": "left by Linux",
}
SYSTEM_FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml", ".yaml", ".yml", ".toml", ".ini", ".xls", ".xlsx"}
WORDS = {".txt", ".md", ".rst", ".log", ".html", ".htm", ".pdf", ".doc", ".docx", ".names", ".py", ".sh", ".bat"}
MODELS = {".safetensors", ".pth", ".pt", ".onnx"}
NEVER_PHOTOS = TABLES | WORDS | MODELS  # they lie beside photos and nobody takes them for some: not worth a word


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that was not read as photos, and why, in a few words."""

    path: Path
    why: str
    is_folder: bool = False
    is_unreadable: bool = False


@dataclass(frozen=True)
class Walk:
    """What was found in a folder, in natural order: img2 before img10."""

    photos: tuple[Path, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def summary(self) -> str:
        """What was left out, in one line: "12 files left out: 9 .heic (pip install 'andon[heic]'), 3 hidden".

        Empty if nothing was. Of folders, one that is alone in its fault is named.
        """
        files = [item for item in self.left_out if not item.is_folder]
        folders = [item for item in self.left_out if item.is_folder]
        return "; ".join(filter(None, (_summary("file", files), _summary("folder", folders))))


def walk(root: Path) -> Walk:
    """The photos in `root` and in all folders below it.

    Whatever has a photo's ending is one, even a device or a link to nothing: reading it says what is wrong with it.
    """
    if is_output(root):
        return Walk(left_out=(_written_by_andon(root),))
    photos: list[Path] = []
    left_out: list[LeftOut] = []
    seen = set(_real(root).parents)
    folders, links = [root], deque[Path]()
    while folders or links:  # links come last, so that a folder bears its own name wherever it has one
        folder = folders.pop() if folders else links.popleft()
        real = _real(folder)
        if real in seen:
            left_out.append(LeftOut(folder, "read under another name", is_folder=True))
            continue
        seen.add(real)
        inner = _look(folder)
        photos += inner.photos
        left_out += inner.left_out
        folders += inner.folders
        links += inner.links
    return _in_order(photos, left_out)


def walk_folder(folder: Path) -> Walk:
    """The photos directly in `folder`, and what else lies there but folders."""
    if is_output(folder):
        return Walk(left_out=(_written_by_andon(folder),))
    inner = _look(folder)
    return _in_order(inner.photos, [item for item in inner.left_out if not item.is_folder or item.path == folder])


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in `folder` that `walk` would enter, in natural order."""
    inner = _look(folder)
    seen = {_real(folder), *_real(folder).parents}
    by_place = {real: path for path in (*inner.links, *inner.folders) if (real := _real(path)) not in seen}
    return in_natural_order(by_place.values())


def is_output(folder: Path) -> bool:
    """Whether Andon has marked the folder as one that it writes to."""
    return os.path.isfile(folder / MARKER)  # noqa: PTH113 - Path raises where the folder may not be read


def in_natural_order(paths: Iterable[Path]) -> list[Path]:
    """Sorted folder by folder; numbers in names count by their value, upper and lower case are the same."""
    return sorted(paths, key=lambda path: ([_words_and_numbers(part) for part in path.parts], str(path)))


@lru_cache(4096)  # most photos lie in a few folders
def _words_and_numbers(name: str) -> list[tuple[str, int]]:
    """A name without its ending as pairs of a word and the number after it, -1 where none is."""
    pairs = re.findall(r"([^0-9]*)([0-9]*)", os.path.splitext(name)[0])  # noqa: PTH122 - a part of a path
    return [(word.casefold(), int(number or -1)) for word, number in pairs]


@dataclass
class _Listing:
    """What lies directly in one folder; `links` are folders, too."""

    photos: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def _look(folder: Path) -> _Listing:
    found = _Listing()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                path, is_folder = folder / entry.name, _is_folder(entry)
                if why := why_no_folder(path) if is_folder else why_no_photo(path):
                    found.left_out.append(LeftOut(path, why, is_folder))
                elif is_folder:
                    (found.links if entry.is_symlink() else found.folders).append(path)
                elif is_image(path):
                    found.photos.append(path)
    except OSError as error:
        reason = error.strerror or str(error)
        found.left_out.append(LeftOut(folder, f"unreadable ({reason})", is_folder=True, is_unreadable=True))
    return found


def why_no_photo(file: Path) -> str:
    """Why a file is not a photo; empty if it is one, or if nobody would take it for one."""
    ending = file.suffix.lower()
    if file.name.startswith("."):
        return "" if file.name == MARKER else "hidden"
    if file.name.lower() in SYSTEM_FILES:
        return "left by Windows"
    if is_image(file) or ending in NEVER_PHOTOS:
        return ""
    if ending in HEIF_ENDINGS:
        return f"{ending} ({HEIF_HINT})"
    return f"{ending} (not read)" if ending else "without an ending"


def why_no_folder(folder: Path) -> str:
    """Why a folder is not looked into; empty if it is."""
    if folder.name.startswith("."):
        return "hidden"
    if why := SYSTEM_FOLDERS.get(folder.name.lower()):
        return why
    above = _real(folder).parents if folder.is_symlink() else ()
    return "written by Andon" if any(map(is_output, (folder, *above))) else ""


def _written_by_andon(folder: Path) -> LeftOut:
    return LeftOut(folder, f"written by Andon ({MARKER})", is_folder=True)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _in_order(photos: Iterable[Path], left_out: Iterable[LeftOut]) -> Walk:
    by_path = {item.path: item for item in left_out}
    return Walk(tuple(in_natural_order(photos)), tuple(by_path[path] for path in in_natural_order(by_path)))


def _summary(noun: str, items: Sequence[LeftOut]) -> str:
    if not items:
        return ""
    of_kind = Counter(item.why for item in items)
    names = {item.why: f"{item.path}, " for item in items if item.is_folder and of_kind[item.why] == 1}
    parts = ", ".join(names[why] + why if why in names else f"{n} {why}" for why, n in of_kind.most_common())
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'} left out: {parts}"
