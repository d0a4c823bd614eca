"""Where Andon writes: folders that it marks as its own, and names for pictures that cannot meet anything else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from andon.errors import InputError
from andon.images.walk import MARKER, is_output, walk

MAX_NAME_BYTES = 255  # of most file systems
SAID = "Andon writes into this folder, so it reads no photos from it or from the folders in it.\n"
UNSAFE = frozenset('<>:"/\\|?*')  # one system or another has another use for them


def mark_output(folder: Path) -> None:
    """Make `folder` and mark it as Andon's own: from now on nothing in it is taken for a photo.

    Raises:
        InputError: it holds photos that may be somebody's, or cannot be written.
    """
    if is_output(folder):
        return
    if photos := walk(folder).photos if folder.is_dir() else ():
        raise InputError(
            f"{folder} holds photos ({photos[0].name} and so on) among which Andon would write its pictures; "
            f"give a folder of its own, such as {folder / 'andon'}."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(SAID, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{folder} cannot be written ({reason}); choose a folder that you may write to.") from None


def picture_names(photos: Sequence[Path]) -> list[Path]:
    """A relative path ending in .png for a picture of each photo: no two alike, folders kept as far as they differ.

    Names are free of what other systems cannot bear and short enough for all; upper and lower case do not tell them
    apart. None leads out of the folder that it is put into.
    """
    taken: set[str] = set()
    names = []
    for parts in _without_common_folder(photos):
        for name in _candidates([_safe(part) for part in parts]):
            key = str(name).casefold()
            if key not in taken:
                break
        taken.add(key)
        names.append(name)
    return names


def _without_common_folder(photos: Sequence[Path]) -> list[tuple[str, ...]]:
    """The parts of each path below the folder that holds all of them."""
    paths = [Path(os.path.abspath(photo)) for photo in photos]  # noqa: PTH100 - takes .. away without asking the disk
    try:
        root = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    except ValueError:  # on several drives
        return [tuple(part for part in path.parts if part != path.anchor) for path in paths]
    return [path.relative_to(root).parts for path in paths]


def _candidates(parts: list[str]) -> Iterator[Path]:
    """a.png for a.jpg; where that is taken a.jpg.png, then a-2.png, a-3.png ..."""
    folder, name = Path(*parts[:-1]), Path(parts[-1])
    yield folder / _short(name.stem, ".png")
    yield folder / _short(name.name, ".png")
    for number in count(2):
        yield folder / _short(name.stem, f"-{number}.png")


def _safe(part: str) -> str:
    """The name with _ for letters that are no text, control a terminal or mean something else on another system."""
    text = "".join(letter if letter.isprintable() and letter not in UNSAFE else "_" for letter in part)
    return _short(text.strip(" .") or "_", "")


def _short(name: str, ending: str) -> str:
    """`name` and `ending`, the name cut so that both fit into one file name."""
    room = MAX_NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore") + ending
