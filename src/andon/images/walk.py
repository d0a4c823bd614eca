"""From what stands on the command line to photo files, and names for the pictures made of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from andon.errors import DatasetError
from andon.images.decode import is_image


def expand(arguments: Iterable[str]) -> list[Path]:
    """The photos that files, folders (with all folders in them) and globs name, in that order, sorted within each.

    A file that is named but missing stays in the list: its inspection says what is wrong with it.

    Raises:
        DatasetError: a folder holds no photo or a glob matches none.
    """
    photos: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            photos += _of_folder(path)
        elif not path.exists() and glob.has_magic(argument):
            photos += _of_glob(argument)
        else:
            photos.append(path)
    return list(dict.fromkeys(photos))


def _of_folder(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and is_image(path))
    if not found:
        raise DatasetError(f"{folder} holds no photos; give a folder with .jpg, .png, .bmp, .tif or .webp files.")
    return found


def _of_glob(pattern: str) -> list[Path]:
    found = sorted(Path(name) for name in glob.glob(pattern, recursive=True) if is_image(Path(name)))  # noqa: PTH207
    if not found:
        raise DatasetError(f"{pattern} matches no photo; check the pattern.")
    return found


def picture_names(photos: Sequence[Path]) -> list[Path]:
    """A relative path ending in .png for a picture of each photo: no two alike, folders kept as far as they differ."""
    if not photos:
        return []
    root = os.path.commonpath([path.absolute().parent for path in photos])
    names: dict[Path, None] = {}
    for path in photos:
        name = path.absolute().relative_to(root).with_suffix(".png")
        if name in names:  # a.jpg beside a.png
            name = name.with_name(f"{path.name}.png")
        names[name] = None
    return list(names)
