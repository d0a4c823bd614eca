"""Writing pictures: into folders that Andon marks as its own, under names that cannot meet, whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import cv2

from andon.errors import ImageError, InputError
from andon.images.walk import MARKER, is_output, walk
from andon.types import RgbImage

MAX_NAME_BYTES = 255  # of most file systems
SAID = "Andon writes into this folder, so it reads no photos from it or from the folders in it.\n"
RESERVED = frozenset({"parts"})  # folders beside the pictures
UNSAFE = frozenset('<>:"/\\|?*')  # one system or another has another use for them


def mark_output(folder: Path) -> None:
    """Make `folder` and mark it as Andon's own: from now on nothing in it is read as a photo.

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


def write(path: Path, image: RgbImage) -> None:
    """Write (H, W, 3) uint8 RGB in the format that the file's name ends in, making its folder; whole or not at all.

    Unlike a model, a picture can be drawn again, so nobody waits for the disk; and no link is followed.
    A file that is there is replaced only in a folder that `mark_output` marked, or below one; elsewhere it may be there
    only if it is the same.

    Raises:
        ImageError: another file of that name is there, or it cannot be written.
    """
    data = _encoded(path, image)
    unfinished = path.with_name(f".{secrets.token_hex(8)}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and not any(map(is_output, path.absolute().parents)):
            if path.is_file() and path.read_bytes() == data:
                return
            raise ImageError(f"{path} exists already and is not replaced; give another folder.")
        try:
            unfinished.write_bytes(data)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageError(f"{path} cannot be written ({reason}); choose a folder that you may write to.") from None


def _encoded(path: Path, image: RgbImage) -> bytes:
    try:
        done, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error:  # an ending that it does not know
        done = False
    if not done:
        raise ImageError(f"{path} cannot be encoded as {path.suffix or 'a file without ending'}; use .png or .jpg.")
    return data.tobytes()


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
    if len(parts) > 1 and parts[0].casefold() in RESERVED:
        parts = [f"{parts[0]}_", *parts[1:]]
    folder, name = Path(*parts[:-1]), Path(parts[-1])
    yield folder / _short(name.stem, ".png")
    yield folder / _short(name.name, ".png")
    for number in count(2):
        yield folder / _short(name.stem, f"-{number}.png")


def _safe(part: str) -> str:
    """The name with _ for characters that are not text, control a terminal or mean something else on another system."""
    text = "".join(letter if letter.isprintable() and letter not in UNSAFE else "_" for letter in part)
    return _short(text.strip(" .") or "_", "")


def _short(name: str, ending: str) -> str:
    """`name` and `ending`, the name cut so that both fit into one file name."""
    room = MAX_NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore") + ending
