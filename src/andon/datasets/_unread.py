"""Labels in a form that no layout reads: training stops rather than pass over them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from andon.datasets._labels import IGNORE
from andon.datasets._tables import texts
from andon.datasets._tree import PhotoTree
from andon.datasets._words import usual_meaning
from andon.errors import DatasetError

MAX_PER_FOLDER = 20  # what is written per photo is written alike
MAX_WORDS = 40  # letters of a note that is but a label
JSON_KEYS = re.compile(
    r'"\w*(label|annot|categor|class|defect|anomal|verdict|bbox|polygon|segment|shapes|regions|is_?ng|is_?ok)\w*"',
    re.IGNORECASE,
)
BOX = re.compile(r"\s*\d+(\s+[+-]?[\d.]+){2,}")  # how a line of YOLO begins
XML_TAGS = re.compile(r"<(annotation|object|label|defect|image)[\s>]", re.IGNORECASE)


def check_unread(tree: PhotoTree) -> None:
    """Refuse a folder with labels in a form that Andon does not read.

    Raises:
        DatasetError: there are such labels; the message names the file.
    """
    stems = {picture.stem for picture in tree.pictures}
    names = {picture.name for picture in tree.pictures}
    per_folder: dict[tuple[Path, str], int] = {}
    for file in tree.label_files:
        kind = (file.parent, file.suffix.lower())
        per_folder[kind] = per_folder.get(kind, 0) + 1
        if per_folder[kind] <= MAX_PER_FOLDER and _holds_labels(file, stems, names):
            raise DatasetError(
                f"{file} seems to hold labels, in a form that Andon does not read; write them into a table "
                f"filename,label beside the photos, or {IGNORE}."
            )


def _holds_labels(file: Path, stems: set[str], names: set[str]) -> bool:
    ending = file.suffix.lower()
    if ending in (".xlsx", ".ods"):
        return any(_names_any(text, names) for text in _sheets(file))
    if ending not in (".json", ".xml", ".txt"):
        return False
    try:
        text = next(iter(texts(file)))
    except DatasetError:  # no text, so no labels that anybody wrote
        return False
    if ending == ".txt":
        is_word = len(text) <= MAX_WORDS and usual_meaning(text) is not None
        return file.stem in stems and (is_word or BOX.match(text) is not None)
    of_photo = file.stem in stems or _names_any(text, names)
    return of_photo and bool((JSON_KEYS if ending == ".json" else XML_TAGS).search(text))


def _names_any(text: str, names: Iterable[str]) -> bool:
    return any(name in text for name in names)


def _sheets(file: Path) -> Iterable[str]:
    """The texts within a spreadsheet file; none if it is damaged."""
    try:
        with zipfile.ZipFile(file) as parts:
            return [parts.read(name).decode(errors="replace") for name in parts.namelist() if name.endswith(".xml")]
    except (zipfile.BadZipFile, OSError):
        return []
