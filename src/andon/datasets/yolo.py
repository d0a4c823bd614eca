"""YOLO's text files: one per photo, in a folder `labels` beside `images` or beside the photo itself.

A photo whose file holds a box or polygon is NG, one whose file is empty is OK. A photo without a file is OK, too, where
no file is empty, for then none was written for sound parts; otherwise it is unlabelled. A class that is called OK, in
data.yaml or classes.txt, marks no defect.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from andon.datasets._dataset import Reading
from andon.datasets._labels import IGNORE, Label, beside_labelled, labelled, outline_of
from andon.datasets._masks import finder_of
from andon.datasets._tables import texts
from andon.datasets._tree import PLAIN_NAMES, PhotoTree, folder_above
from andon.datasets._words import some, words_of
from andon.errors import DatasetError
from andon.types import Outline

LOOKS_LIKE = "images/<photo>.jpg and labels/<photo>.txt"
SPECIFICITY = 5

LABELS = "labels"
LINE = re.compile(r"\d+(\s+[+-]?[\d.]+(e[+-]?\d+)?){4,}", re.IGNORECASE)
CLASS_FILES = ("data.yaml", "dataset.yaml", "classes.txt", "obj.names")


def recognises(tree: PhotoTree) -> bool:
    """Whether a photo has such a file, or any file in a folder `labels`."""
    return any(_is_in_labels(file) or bool(_text(file) and _is_sound(_text(file))) for file in _files(tree).values())


def read(tree: PhotoTree) -> Reading:
    """The photos with their labels.

    Raises:
        DatasetError: a file is not as YOLO writes it, or contradicts the folders, or a name that was given matches no
            class.
    """
    files = _files(tree)
    classes = _classes(tree)
    tree.names.check_used(classes, f"class of {tree.root}")
    is_defect = [tree.names.says_ng(name) is not False for name in classes]
    labels = {photo: _label(file, classes, is_defect) for photo, file in files.items()}
    n_ng = sum(bool(label.is_anomalous) for label in labels.values())
    notes = [f"YOLO: {n_ng} of {len(labels)} label files mark something, and their photos are read as NG."]
    silent = beside_labelled(tree, labels)
    if silent and all(_text(file) for file in files.values()):
        labels |= {photo: Label(False, LABELS) for photo in silent}
        notes.append(f"YOLO: photos without a label file are read as OK ({some(photo.name for photo in silent)}).")
    return Reading(labelled(tree, labels), tuple(notes))


@lru_cache(maxsize=1)  # whether there are labels is known only when they have been looked at
def _files(tree: PhotoTree) -> dict[Path, Path]:
    """Photo -> its file."""
    finder = finder_of(tree)
    by_place: dict[tuple[Path, str], Path] = {
        (file.parent, file.stem): file for file in tree.label_files if file.suffix.lower() == ".txt"
    }
    if not by_place:
        return {}
    roots = [folder for folder in tree.folders if _is_labels(folder)]
    times = Counter(photo.stem for photo in finder.photos)
    found = {}
    for photo in finder.photos:
        for folder in _places(photo, roots, is_alone=times[photo.stem] == 1):
            if (file := by_place.get((folder, photo.stem))) is not None:
                found[photo] = file
                break
    return found


def _places(photo: Path, roots: list[Path], *, is_alone: bool) -> Iterator[Path]:
    """The folders where its file may lie, the likeliest first.

    Args:
        is_alone: no other photo bears its name.
    """
    for root in roots:
        if root.parent in photo.parents:
            inner = photo.parent.relative_to(root.parent).parts
            yield root.joinpath(*inner)
            yield root.joinpath(*(name for name in inner if name.lower() not in PLAIN_NAMES))
            if is_alone:
                yield root
    yield photo.parent


def _is_labels(folder: Path) -> bool:
    return words_of(folder.name) in (("labels",), ("label",))


def _is_in_labels(file: Path) -> bool:
    return any(_is_labels(folder) for folder in file.parents)


def _text(file: Path) -> str:
    return next(iter(texts(file))).strip()


def _is_sound(text: str) -> bool:
    return all(LINE.fullmatch(line) for line in _lines(text))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _label(file: Path, classes: list[str], is_defect: list[bool]) -> Label:
    text = _text(file)
    try:
        if not _is_sound(text):
            raise ValueError("not class x y w h")
        marks = [(int(number), _outline([*map(float, values)])) for number, *values in map(str.split, _lines(text))]
    except ValueError:
        raise DatasetError(
            f"{file} is not a YOLO label file; expected lines such as '0 0.5 0.5 0.1 0.2' or none: correct it, or "
            f"{IGNORE}."
        ) from None
    marks = [(number, outline) for number, outline in marks if number >= len(classes) or is_defect[number]]
    kinds = dict.fromkeys(classes[number] if number < len(classes) else f"class {number}" for number, _ in marks)
    return Label(bool(marks), file.name, " + ".join(kinds) or None, outlines=tuple(outline for _, outline in marks))


def _outline(values: list[float]) -> Outline:
    """The corners of a box (centre and size, perhaps with a confidence) or of a polygon.

    Raises:
        ValueError: one is not a number.
    """
    if len(values) < 6:
        x, y, w, h = values[:4]
        left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
        return outline_of([(left, top), (right, top), (right, bottom), (left, bottom)])
    return outline_of(zip(values[::2], values[1::2], strict=False))


def _classes(tree: PhotoTree) -> list[str]:
    """The names of the classes in their order; none where no file says them."""
    for folder in (tree.root, *(folder for folder in tree.folders if _is_labels(folder)), folder_above(tree.root)):
        for name in CLASS_FILES:
            file = folder / name
            if file.is_file():
                text = next(iter(texts(file)))
                return _names_in_yaml(text) if file.suffix == ".yaml" else text.splitlines()
    return []


def _names_in_yaml(text: str) -> list[str]:
    """What stands under `names`, as a list in brackets or one name a line."""
    if found := re.search(r"^names:\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL):
        parts = found[1].split(",")
    elif found := re.search(r"^names:\s*\n((?:[ \t]*(?:-|\d+:).*\n?)+)", text, re.MULTILINE):
        parts = [re.sub(r"^\s*(-|\d+:)", "", line) for line in found[1].splitlines()]
    else:
        return []
    return [part.strip().strip("'\"") for part in parts]
