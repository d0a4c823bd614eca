"""Photos that the user leaves out: a text file that names them, one a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from andon.datasets._dataset import Dataset, purpose
from andon.datasets._tree import EXCLUDE_FILE
from andon.datasets._words import some
from andon.errors import DatasetError, InputError
from andon.types import Sample

COMMENT = "#"
MOST_LISTED = 8


def excluding(dataset: Dataset, file: Path | None = None) -> Dataset:
    """The same data set without the photos that `file` names; `excluded` has them, and its notes say what was done.

    A line is a photo's path from the data set's folder, or its name where only one photo that trains or calibrates, or
    else only one at all, has it. Lines that begin with # are comments, and so is what follows " #" on a line. A line
    that matches no photo is told in a note.

    Args:
        file: None takes the data set's own `exclude.txt`, where it has one.

    Raises:
        DatasetError: a name belongs to several photos.
        InputError: the file cannot be read as text.
    """
    by_itself = dataset.root / EXCLUDE_FILE
    if file is None and not by_itself.is_file():
        return dataset
    file = file or by_itself
    found: dict[Path, Sample] = {}
    unmatched = []
    for number, line in _lines(file):
        sample = _named(dataset, line, f"{file}, line {number},")
        if sample is None:
            unmatched.append(
                f"{file.name}, line {number}: {line!r} is no photo of the data set, so it leaves nothing out."
            )
        else:
            found[sample.path] = sample
    names = [dataset.name_of(path) for path in found]
    photos = "1 photo is" if len(names) == 1 else f"{len(names)} photos are"
    said = f"{photos} left out, as {file.name} says{f': {some(names, MOST_LISTED)}' if names else ''}."
    return replace(
        dataset,
        samples=tuple(sample for sample in dataset.samples if sample.path not in found),
        notes=(*dataset.notes, said, *unmatched),
        excluded=tuple(found.values()),
    )


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines that name a photo, with their numbers."""
    try:
        text = file.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{file} cannot be read ({reason}); give a text file that names one photo a line.") from None
    if "\0" in text:
        raise InputError(f"{file} is not a text file; give one that names one photo a line.")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith(COMMENT):
            yield number, line.strip()


def _named(dataset: Dataset, line: str, where: str) -> Sample | None:
    """The photo that a line names; None where there is none."""
    for text in (line, line.split(f" {COMMENT}")[0].strip()):
        wanted = text.replace("\\", "/").removeprefix("./")
        by_path = [s for s in dataset.samples if wanted in (dataset.name_of(s.path), s.path.as_posix())]
        by_name = [s for s in dataset.samples if wanted == s.path.name]
        learning = [s for s in by_name if purpose(s) in ("train", "calibrate")]
        candidates = by_path or learning or by_name
        if len(candidates) > 1:
            listed = some((dataset.name_of(sample.path) for sample in candidates), MOST_LISTED)
            raise DatasetError(
                f"{where} names {wanted}, as {len(candidates)} photos are called ({listed}); write its path from the "
                "data set's folder."
            )
        if candidates:
            return candidates[0]
    return None
