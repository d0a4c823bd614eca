"""Labels from files, brought together with what the folders say of the same photos."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from andon.datasets._masks import MaskFinder, finder_of
from andon.datasets._tree import NEITHER_NAMES, Meaning, PhotoTree
from andon.datasets._words import words_of
from andon.errors import DatasetError
from andon.types import Outline, Sample, Split

IGNORE = "pass --ignore-labels to go by the folders alone"


@dataclass(frozen=True)
class Label:
    """What a table or annotation says of one photo.

    Attributes:
        is_anomalous: None where it does not say.
        source: the name of the file that says so.
    """

    is_anomalous: bool | None
    source: str
    defect: str | None = None
    split: Split | None = None
    masks: tuple[Path, ...] = ()
    outlines: tuple[Outline, ...] = ()


def outline_of(corners: Iterable[tuple[float, float]]) -> Outline:
    """The corners as an outline.

    Raises:
        ValueError: one is not a number.
    """
    outline = tuple((float(x), float(y)) for x, y in corners)
    if not all(math.isfinite(value) for corner in outline for value in corner):
        raise ValueError("a corner that is not a number")
    return outline


def folder_label(meaning: Meaning) -> tuple[bool | None, str | None]:
    """Whether a photo is NG, and its kind of defect, as far as its folders say so; None where they do not.

    A folder of test/ that is neither OK nor known as something else is a kind of defect.
    """
    if meaning.says_ng is not None and (meaning.nameless is None or meaning.split):
        return meaning.says_ng, meaning.defect
    if meaning.split == "test" and meaning.nameless and "".join(words_of(meaning.nameless.name)) not in NEITHER_NAMES:
        return True, meaning.nameless.name
    return None, None


def beside_labelled(tree: PhotoTree, labelled_ones: Collection[Path]) -> list[Path]:
    """The photos without a label that lie among those with one, or in no folder that has a name of its own."""
    folders = {photo.parent for photo in labelled_ones}
    return [
        photo
        for photo in finder_of(tree).photos
        if photo not in labelled_ones
        and folder_label(tree.meaning(photo))[0] is None
        and (photo.parent in folders or tree.meaning(photo).nameless is None)
    ]


def labelled(tree: PhotoTree, labels: Mapping[Path, Label]) -> tuple[Sample, ...]:
    """Every photo of the folder with its label; one without a label is what its folder says, or unlabelled.

    Photos that only the labels know are kept, so that the user learns that they are missing.

    Raises:
        DatasetError: a label contradicts the folder's name.
    """
    finder = finder_of(tree)
    _check_folders(tree, {photo: labels[photo] for photo in finder.photos if photo in labels})
    here = tuple(_sample(tree, photo, labels.get(photo), finder) for photo in finder.photos)
    missing = labels.keys() - set(finder.photos)
    return (*here, *(_missing(tree, photo, labels[photo]) for photo in sorted(missing)))


def _sample(tree: PhotoTree, photo: Path, label: Label | None, finder: MaskFinder) -> Sample:
    meaning = tree.meaning(photo)
    is_anomalous, defect = folder_label(meaning)
    if label is None:
        return Sample(photo, is_anomalous, finder.of(photo) if is_anomalous else (), meaning.split, defect)
    if label.is_anomalous is not None:
        is_anomalous = label.is_anomalous
    if not is_anomalous:
        return Sample(photo, is_anomalous, split=meaning.split or label.split)
    masks = label.masks or (() if label.outlines else finder.of(photo))
    return Sample(photo, True, masks, meaning.split or label.split, label.defect or defect, label.outlines)


def _missing(tree: PhotoTree, photo: Path, label: Label) -> Sample:
    split = tree.meaning(photo).split or label.split
    return Sample(photo, label.is_anomalous, label.masks, split, label.defect, label.outlines)


def _check_folders(tree: PhotoTree, labels: Mapping[Path, Label]) -> None:
    faults = [
        f"{photo.relative_to(tree.root)} is {by_label} by {label.source} and {by_folder} by its folder"
        for photo, label in labels.items()
        for by_label, by_folder in _contradictions(tree.meaning(photo), label)
    ]
    if faults:
        more = f", and {len(faults) - 1} more like it" if len(faults) > 1 else ""
        raise DatasetError(f"{faults[0]}{more}; correct one of the two, or {IGNORE}.")


def _contradictions(meaning: Meaning, label: Label) -> Iterator[tuple[str, str]]:
    """What a label and a folder say of a photo where they disagree."""
    names = {False: "OK", True: "NG"}
    if None not in (says := (label.is_anomalous, meaning.says_ng)) and says[0] is not says[1]:
        yield names[bool(says[0])], names[bool(says[1])]
    if label.split and meaning.split and label.split != meaning.split:
        yield f"in the split {label.split}", f"in the split {meaning.split}"
