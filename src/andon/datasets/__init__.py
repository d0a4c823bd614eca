"""Data sets: one file is one layout, found by its file name; and what keeps their figures honest.

A layout is a module with `LOOKS_LIKE` (what it expects, for error messages), `SPECIFICITY` (the layout that demands
most is asked first whether it recognises a folder), `recognises` and `read`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from andon.datasets._dataset import Dataset, purpose
from andon.datasets._duplicates import Duplicates, Group, find_duplicates
from andon.datasets._folders import has_photo
from andon.datasets._labelled import ng_to_learn_from
from andon.datasets._leaks import check_leaks, samples_to_evaluate
from andon.datasets._sources import SOURCES, Source
from andon.datasets._splits import FOLDS, Fold, Partition, count_different, deal, split
from andon.datasets._template import check_empty, create
from andon.datasets._verify import Finding, Verification, verify
from andon.errors import DatasetError
from andon.images import subfolders
from andon.plugins import Parts
from andon.types import Sample

__all__ = [
    "FOLDS",
    "SOURCES",
    "Dataset",
    "Duplicates",
    "Finding",
    "Fold",
    "Group",
    "Layout",
    "Partition",
    "Source",
    "Verification",
    "check_empty",
    "check_leaks",
    "count_different",
    "create",
    "deal",
    "find_duplicates",
    "names",
    "ng_to_learn_from",
    "purpose",
    "read",
    "samples_to_evaluate",
    "split",
    "verify",
]

PARTS = Parts("layout", __name__, ("LOOKS_LIKE", "SPECIFICITY", "recognises", "read"), group="andon.layouts")


class Layout(Protocol):
    """What the module of a layout offers."""

    LOOKS_LIKE: str
    SPECIFICITY: int

    def recognises(self, root: Path) -> bool:
        """Whether the folder looks like this layout."""

    def read(self, root: Path, ng_names: Sequence[str] = ()) -> list[Sample]:
        """Every photo of the folder, in a settled order."""


def names() -> list[str]:
    """The names of all layouts, the one that demands most first."""
    return sorted(PARTS.names(), key=lambda name: -_layout(name).SPECIFICITY)


def read(root: Path, layout: str | None = None, ng_names: Sequence[str] = ()) -> Dataset:
    """The data set in the folder `root`.

    Args:
        layout: None: the first of `names()` that recognises the folder.
        ng_names: how the set calls NG where it has names of its own; what they name is for the layout to say.

    Raises:
        DatasetError: `root` is no folder, is empty, holds one photo only, or is in no layout that is known.
        ConfigError: there is no layout of that name.
    """
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give the folder that holds the photos.")
    if not has_photo(root):
        raise DatasetError(f"{root} holds no photos; copy at least two photos of OK parts into it.")
    try:
        name = layout or _recognise(root)
        samples = _layout(name).read(root, ng_names)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"{root} cannot be read ({reason}); check the permissions of its folders.") from None
    if len(samples) < 2:
        found = "only one photo" if samples else "no photos"
        raise DatasetError(f"{root}, read as {name}, holds {found}; expected several: {_layout(name).LOOKS_LIKE}.")
    return Dataset(root, name, tuple(samples))


def _layout(name: str) -> Layout:
    return cast(Layout, PARTS.load(name))


def _recognise(root: Path) -> str:
    for name in names():
        if _layout(name).recognises(root):
            return name
    inner = [folder.name for folder in subfolders(root) if any(_layout(name).recognises(folder) for name in names())]
    if inner:
        raise DatasetError(f"{root} is no data set itself; give one of its folders that is: {', '.join(inner)}.")
    expected = "; ".join(f"{_layout(name).LOOKS_LIKE} ({name})" for name in names())
    raise DatasetError(f"{root} is in no layout that Andon knows; expected one of: {expected}.")
