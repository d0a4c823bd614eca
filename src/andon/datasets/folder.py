"""Plain folders, as people make them.

OK photos alone; folders named ok, good or normal beside NG folders; the same within train/, valid/ and test/, where a
folder of test/ that is not OK is NG whatever its name. Masks may lie in ground_truth/<defect> or masks/<defect>, at
the top or within test/. Upper and lower case in folder names are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from andon.datasets._folders import (
    MASK_NAMES,
    NG_NAMES,
    OK_NAMES,
    SPLIT_NAMES,
    has_photo,
    ng_samples,
    ok_samples,
)
from andon.errors import DatasetError
from andon.images import subfolders, walk_folder
from andon.types import Sample, Split

LOOKS_LIKE = "OK photos alone, or ok/ and ng/, or train/ok, test/ok and test/<defect>"
SPECIFICITY = 1


def recognises(root: Path) -> bool:
    """Whether there are photos directly in `root` or folders with one of the usual names."""
    known = OK_NAMES | NG_NAMES | SPLIT_NAMES.keys()
    return bool(walk_folder(root).photos) or any(folder.name.lower() in known for folder in subfolders(root))


def read(root: Path, ng_names: Sequence[str] = ()) -> list[Sample]:
    """The photos of train/, valid/ and test/ where there are such folders, otherwise of `root` itself.

    Photos of `root` itself have no split: what is OK may teach, what the model has not seen may test it.
    `ng_names` are names of NG folders beside the usual ones.

    Raises:
        DatasetError: photos in train/ or valid/ lie in a folder whose name does not say whether they are OK.
    """
    known_ng = NG_NAMES | {name.lower() for name in ng_names}
    splits = [folder for folder in subfolders(root) if folder.name.lower() in SPLIT_NAMES]
    if not splits:
        return _read_classes(root, None, known_ng, _mask_roots([root]))
    return [
        sample
        for folder in splits
        for sample in _read_classes(folder, SPLIT_NAMES[folder.name.lower()], known_ng, _mask_roots([root, folder]))
    ]


def _mask_roots(folders: list[Path]) -> list[Path]:
    return [inner for folder in folders for inner in subfolders(folder) if inner.name.lower() in MASK_NAMES]


def _read_classes(folder: Path, split: Split | None, known_ng: frozenset[str], mask_roots: list[Path]) -> list[Sample]:
    """The photos directly in `folder` and in its class folders."""
    classes = [inner for inner in subfolders(folder) if inner.name.lower() not in MASK_NAMES and has_photo(inner)]
    has_ok_folder = any(inner.name.lower() in OK_NAMES for inner in classes)
    loose_are_ok = not has_ok_folder and split != "test"
    samples = [
        Sample(photo, is_anomalous=False if loose_are_ok else None, split=split) for photo in walk_folder(folder).photos
    ]
    for inner in classes:
        name = inner.name.lower()
        if name in OK_NAMES:
            samples += ok_samples(inner, split)
        elif name in known_ng or has_ok_folder or split == "test":
            samples += ng_samples(inner, split, mask_roots)
        elif split is not None:
            raise DatasetError(
                f"{inner} does not say whether its photos are OK; expected {folder}/ok or {folder}/ng: "
                "rename it, or name the NG folders with --ng-name."
            )
    return samples
