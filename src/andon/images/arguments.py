"""From what stands on a command line to photos."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from itertools import chain, takewhile
from pathlib import Path

from andon.errors import DatasetError
from andon.images.formats import COMMON, is_image
from andon.images.walk import LeftOut, Walk, in_natural_order, walk, why_no_folder, why_no_photo


def expand(arguments: Iterable[str]) -> Walk:
    """The photos that files, folders (with all folders in them) and globs name, each once, in that order.

    A file that is named stays in the list whatever it is: its inspection says what is wrong with it.

    Raises:
        DatasetError: a folder holds no photo or a glob matches none.
    """
    return _joined([_named(argument) for argument in arguments])


def _named(argument: str) -> Walk:
    path = Path(argument)
    if os.path.isdir(path):  # noqa: PTH112 - Path raises where the name is too long
        return _some(walk(path), f"{path} holds no photos; give a folder with {COMMON} files")
    if not os.path.lexists(path) and glob.has_magic(argument):
        return _some(_matched(argument), f"{argument} matches no photo; check the pattern")
    return Walk((path,))


def _matched(pattern: str) -> Walk:
    """The photos that the pattern matches, and those in folders that it matches: by the rule of `walk`."""
    named = len(list(takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts)))
    matches = in_natural_order(map(Path, glob.glob(pattern, recursive=True)))  # noqa: PTH207
    if "**" in pattern:  # what is in the folders is matched, too
        matches = [path for path in matches if not path.is_dir()]
    return _joined([_match(path, named) for path in matches])


def _match(path: Path, named: int) -> Walk:
    """One match; the pattern names the first `named` parts of its path, so they are wanted whatever they are."""
    for folder in reversed([path, *path.parents][: len(path.parts) - named]):
        if folder.is_dir() and (why := why_no_folder(folder)):
            return Walk(left_out=(LeftOut(folder, why, is_folder=True),))
    if path.is_dir():
        return walk(path)
    why = why_no_photo(path)
    return Walk(left_out=(LeftOut(path, why),)) if why else Walk((path,) if is_image(path) else ())


def _some(found: Walk, otherwise: str) -> Walk:
    if not found.photos:
        raise DatasetError("; ".join(filter(None, (otherwise, found.summary()))) + ".")
    return found


def _joined(walks: list[Walk]) -> Walk:
    photos: dict[str, Path] = {}
    for photo in chain.from_iterable(found.photos for found in walks):
        photos.setdefault(_place(photo), photo)
    left_out = dict.fromkeys(chain.from_iterable(found.left_out for found in walks))
    return Walk(tuple(photos.values()), tuple(left_out))


def _place(photo: Path) -> str:
    """One for all spellings of a path, through ".." and links to folders; a link to a photo is a photo of its own."""
    folder, name = os.path.split(photo)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
