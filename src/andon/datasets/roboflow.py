"""Roboflow's multi-label export: train/, valid/ and test/, each with the table `_classes.csv` beside its photos."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from andon.errors import DatasetError
from andon.images import walk_folder
from andon.types import Sample, Split

LOOKS_LIKE = "train/_classes.csv beside the photos"
SPECIFICITY = 3

TABLE = "_classes.csv"
SPLITS: dict[str, Split] = {"train": "train", "valid": "calibration", "test": "test"}
NG_PREFIXES = ("Corroded",)


def recognises(root: Path) -> bool:
    """Whether one of the splits has its table."""
    return any((root / folder / TABLE).is_file() for folder in SPLITS)


def read(root: Path, ng_names: Sequence[str] = ()) -> list[Sample]:
    """The photos of all splits.

    A photo is NG if any column whose name begins with one of `ng_names` is 1 (upper and lower case differ), OK if only
    other columns are, and of unknown class if none is or if the table does not list it.

    Raises:
        DatasetError: a table cannot be read, or no column begins with one of the names.
    """
    prefixes = tuple(ng_names) or NG_PREFIXES
    tables = {folder: _read_table(root / folder / TABLE) for folder in SPLITS if (root / folder / TABLE).is_file()}
    _check_prefixes(
        root, prefixes, {column for table in tables.values() for labels in table.values() for column in labels}
    )
    return [
        sample
        for folder, table in tables.items()
        for sample in _samples(root / folder, SPLITS[folder], table, prefixes)
    ]


def _read_table(path: Path) -> dict[str, dict[str, bool]]:
    """File name -> column -> whether the photo bears that label."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as a CSV table ({error}); export the data set again.") from None
    if not rows or rows[0][0] != "filename":
        raise DatasetError(
            f"{path} must begin with the line 'filename,<label>,<label>,...'; export the data set again."
        )
    columns = rows[0][1:]
    return {
        Path(row[0]).name: {column: cell == "1" for column, cell in zip(columns, row[1:], strict=False)}
        for row in rows[1:]
    }


def _check_prefixes(root: Path, prefixes: tuple[str, ...], columns: set[str]) -> None:
    for prefix in prefixes:
        if not any(column.startswith(prefix) for column in columns):
            raise DatasetError(
                f"No label of {root} begins with {prefix!r}; its labels are {', '.join(sorted(columns))}: "
                "name those that mean NG with --ng-name."
            )


def _samples(folder: Path, split: Split, table: dict[str, dict[str, bool]], prefixes: tuple[str, ...]) -> list[Sample]:
    names = sorted({photo.name for photo in walk_folder(folder).photos} | table.keys())
    return [_sample(folder / name, split, table.get(name, {}), prefixes) for name in names]


def _sample(path: Path, split: Split, labels: dict[str, bool], prefixes: tuple[str, ...]) -> Sample:
    borne = [column for column, is_borne in labels.items() if is_borne]
    if not borne:  # nobody has said that it is OK, so it must not teach
        return Sample(path, split=split)
    defects = [column for column in borne if column.startswith(prefixes)]
    return Sample(path, is_anomalous=bool(defects), split=split, defect=" + ".join(defects) or None)
