"""Roboflow's multi-label export: photos and the table `_classes.csv`, in train/, valid/ and test/ or in one folder."""

from __future__ import annotations

from andon.datasets._dataset import Reading
from andon.datasets._label_tables import CLASSES, read_tables
from andon.datasets._labels import labelled
from andon.datasets._tree import PhotoTree

LOOKS_LIKE = "_classes.csv beside the photos, in the folder itself or in train, valid and test"
SPECIFICITY = 5


def recognises(tree: PhotoTree) -> bool:
    """Whether there is a table of that name."""
    return any(file.name == CLASSES for file in tree.label_files)


def read(tree: PhotoTree) -> Reading:
    """The photos of all splits.

    A photo is NG if any class that means NG is 1, OK if only other classes are, and of unknown class if none is or if
    the table does not list it.

    Raises:
        DatasetError: a table cannot be read or contradicts the folders, or it is open which classes mean NG.
    """
    tables = [file for file in tree.label_files if file.name == CLASSES]
    found = read_tables(tree, tables, is_classes=True)
    tree.names.check_used(found.seen, f"label of {tree.root}")
    return Reading(labelled(tree, found.labels), tuple(found.notes))
