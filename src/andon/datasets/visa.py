"""VisA as it is downloaded: a folder per object, and `split_csv/1cls.csv` beside them that says what each photo is."""

from __future__ import annotations

from pathlib import Path

from andon.datasets._dataset import Reading
from andon.datasets._tables import readings
from andon.datasets._tree import SPLIT_NAMES, PhotoTree, folder_above
from andon.errors import DatasetError
from andon.types import Sample

LOOKS_LIKE = "<object>/Data/Images and split_csv/1cls.csv beside the object"
SPECIFICITY = 6

FOLDER = "split_csv"
TABLE = "1cls.csv"
HEADER = ["object", "split", "label", "image", "mask"]


def recognises(tree: PhotoTree) -> bool:
    """Whether the table lies in the folder or beside it, and speaks of photos in it."""
    return any(_is_within(tree.root, base / row["image"]) for base, rows in _tables(tree.root) for row in rows)


def read(tree: PhotoTree) -> Reading:
    """The photos of the one object in the folder.

    Raises:
        DatasetError: the folder holds several objects, or the table has a word that VisA does not use.
    """
    tree.names.refuse(f"{tree.root} is read as visa, where the table says which photos are NG")
    for base, rows in _tables(tree.root):
        own = [row for row in rows if _is_within(tree.root, base / row["image"])]
        objects = sorted({row["object"] for row in own})
        if len(objects) > 1:
            raise DatasetError(f"{tree.root} holds several objects; give one of its folders: {', '.join(objects)}.")
        if own:
            return Reading(tuple(_sample(tree.root, base, row) for row in own))
    raise DatasetError(f"{tree.root} has no {FOLDER}/{TABLE} that names its photos; choose another --layout.")


def _tables(root: Path) -> list[tuple[Path, list[dict[str, str]]]]:
    """The folder that each table's paths begin from, and its rows."""
    found = []
    for base in (root, folder_above(root)):
        file = base / FOLDER / TABLE
        if file.is_file():
            header, *rows = next(iter(readings(file)))
            if header[: len(HEADER)] == HEADER:
                found.append((base, [dict(zip(HEADER, row, strict=False)) for row in rows]))
    return found


def _is_within(root: Path, photo: Path) -> bool:
    return photo.absolute().is_relative_to(root.absolute())


def _below(root: Path, path: Path) -> Path:
    """The same file, its path beginning with `root`."""
    return root / path.absolute().relative_to(root.absolute())


def _sample(root: Path, base: Path, row: dict[str, str]) -> Sample:
    photo, mask = _below(root, base / row["image"]), row.get("mask", "")
    if row["split"] not in SPLIT_NAMES or row["label"] not in ("normal", "anomaly"):
        raise DatasetError(
            f"{base / FOLDER / TABLE} says {row['split']} and {row['label']} of {row['image']}; expected train or "
            "test, and normal or anomaly: correct that row."
        )
    split = SPLIT_NAMES[row["split"]]
    if row["label"] == "normal":
        return Sample(photo, is_anomalous=False, split=split)
    return Sample(photo, True, (_below(root, base / mask),) if mask else (), split, "anomaly")
