"""The labels of the photos in a folder, from the tables beside and above them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from andon.datasets._columns import (
    MASK_HEADERS,
    Columns,
    Understood,
    columns_of,
    columns_of_classes,
    splits_of,
    understand,
)
from andon.datasets._labels import IGNORE, Label
from andon.datasets._masks import finder_of
from andon.datasets._photo_index import PhotoIndex
from andon.datasets._tables import readings
from andon.datasets._tree import SPLIT_NAMES, PhotoTree
from andon.datasets._vocabulary import listed
from andon.datasets._words import some, words_of
from andon.errors import DatasetError

CLASSES = "_classes.csv"
"""Roboflow's table, which has a layout of its own."""


@dataclass
class TableLabels:
    """What several tables say together.

    Attributes:
        seen: the names of classes in them.
        notes: how they were understood.
    """

    labels: dict[Path, Label] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@lru_cache(maxsize=1)  # whether there are labels is known only when they have been read
def found_tables(tree: PhotoTree) -> TableLabels:
    """The labels in all tables of a folder but `_classes.csv`."""
    tables = [file for file in tree.label_files if file.suffix.lower() in (".csv", ".tsv") and file.name != CLASSES]
    texts = [file for file in tree.label_files if file.suffix.lower() == ".txt" and says_labels(file)]
    return read_tables(tree, (*tables, *texts))


def read_tables(tree: PhotoTree, files: Sequence[Path], *, is_classes: bool = False) -> TableLabels:
    """The labels in all of `files` that name photos.

    Args:
        is_classes: they are called `_classes.csv`, have a column of 0 and 1 for each class, and lie beside all photos
            that they name, also those that are missing.

    Raises:
        DatasetError: a table cannot be read or understood, or a photo is labelled in two ways.
    """
    together = TableLabels()
    if not files:
        return together
    index = PhotoIndex(tree.root, finder_of(tree).photos)
    for file in files:
        read = _read(file, index, tree, is_classes=is_classes)
        if read is None:
            _check_may_be_none(tree, file)
            continue
        columns, understood = read
        if understood is None:
            if says_labels(file):
                raise DatasetError(
                    f"{file} names photos, but none of its columns is known to say which are OK; call one 'label', or "
                    f"{IGNORE}."
                )
            together.notes.append(f"{file.name} names photos, but holds no labels that Andon knows.")
            continue
        missing = _add(together, tree, index, file, columns, understood)
        if is_classes:
            together.labels |= {file.parent / name: label for name, label in missing.items() if _is_file_name(name)}
        elif missing and file not in tree.files_above:
            n = len(missing)
            are_missing = "photo that is not there" if n == 1 else "photos that are not there"
            together.notes.append(f"{file.name} names {n} {are_missing}: {some(missing)}.")
    return together


def _check_may_be_none(tree: PhotoTree, file: Path) -> None:
    """Refuse a file that names no photo, although its name says that it holds their labels."""
    if file not in tree.files_above and not SURE_WORDS.isdisjoint(words_of(file.stem)) and file.suffix != ".txt":
        raise DatasetError(
            f"{file} names none of the photos in {tree.root}; correct the names in it, move it elsewhere, or {IGNORE}."
        )


def _is_file_name(name: str) -> bool:
    return name not in ("", ".", "..") and Path(name).name == name


def says_labels(file: Path) -> bool:
    """Whether a file is called as people call what holds labels."""
    return not LABEL_WORDS.isdisjoint(words_of(file.stem))


SURE_WORDS = listed("label labels annotation annotations gt groundtruth truth")
LABEL_WORDS = SURE_WORDS | listed("labelled annot class classes target targets defect defects judgement")


def _read(
    file: Path, index: PhotoIndex, tree: PhotoTree, *, is_classes: bool
) -> tuple[Columns, Understood | None] | None:
    """The table and its labels, in the first of the encodings that name the most photos in which they are understood;
    None if it names no photo.

    Raises:
        DatasetError: it cannot be read, or there are labels that are understood in none of them.
    """
    tables = (columns_of_classes(rows) if is_classes else columns_of(rows, index) for rows in readings(file) if rows)
    found = [columns for columns in tables if columns is not None]
    if is_classes and not found:
        raise DatasetError(
            f"{file} must begin with the line 'filename,<label>,<label>,...'; export the data set again, or {IGNORE}."
        )
    n_named = [sum(name in index for name in columns.column(columns.photos)) for columns in found]
    fault: DatasetError | None = None
    for columns, n in zip(found, n_named, strict=True):
        if n < max(n_named):
            continue
        try:
            understood = understand(columns, tree.names, tree.ng_from, is_classes=is_classes)
        except DatasetError as error:
            fault = fault or DatasetError(f"{file} {error}, or {IGNORE}.")
            continue
        if understood is not None:
            return columns, understood
    if fault:
        raise fault
    return (found[0], None) if found else None


def _add(
    together: TableLabels, tree: PhotoTree, index: PhotoIndex, file: Path, columns: Columns, understood: Understood
) -> dict[str, Label]:
    """Take the labels of one table in; returns those of the photos that are not there."""
    names = columns.column(columns.photos)
    times = Counter(name.replace("\\", "/").rpartition("/")[2] for name in set(names))
    split, masks = splits_of(columns), columns.find(MASK_HEADERS)
    missing = {}
    for row, name, is_anomalous, defect in zip(
        columns.rows, names, understood.is_anomalous, understood.defects, strict=True
    ):
        photo = index.find(name, file, whole=times[name.replace("\\", "/").rpartition("/")[2]] > 1)
        label = Label(
            is_anomalous,
            file.name,
            defect,
            SPLIT_NAMES["".join(words_of(row[split]))] if split is not None and row[split] else None,
            tuple(path for number in masks if (path := _existing(row[number], file, tree.root))),
        )
        if photo is None:
            missing[name] = label
        else:
            _join(together.labels, photo, label)
    together.seen += understood.seen
    together.notes.append(f"{file.name}: {understood.note}.")
    return missing


def _join(labels: dict[Path, Label], photo: Path, label: Label) -> None:
    """Take a photo's label in, which may have others already: several rows, or several tables."""
    known = labels.get(photo)
    if known is None or known.is_anomalous is None:
        labels[photo] = label
        return
    if label.is_anomalous is None:
        return
    if known.is_anomalous != label.is_anomalous:
        sources = " and ".join(dict.fromkeys((known.source, label.source)))
        raise DatasetError(f"{photo} is both OK and NG in {sources}; correct one of the rows, or {IGNORE}.")
    defects = dict.fromkeys(defect for one in (known, label) if one.defect for defect in one.defect.split(" + "))
    masks = tuple(dict.fromkeys((*known.masks, *label.masks)))
    split = known.split or label.split
    labels[photo] = Label(known.is_anomalous, known.source, " + ".join(defects) or None, split, masks)


def _existing(name: str, table: Path, root: Path) -> Path | None:
    if not name:
        return None
    places = (folder / name.replace("\\", "/") for folder in (table.parent, root))
    return next((place for place in places if place.is_file()), None)
