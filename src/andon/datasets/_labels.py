"""Labels that stand somewhere, brought together with what the folders say of the same photos."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
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
        is_anomalous: None where it leaves that open.
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
        ValueError: one is no number.
    """
    outline = tuple((float(x), float(y)) for x, y in corners)
    if not all(math.isfinite(value) for corner in outline for value in corner):
        raise ValueError("a corner that is no number")
    return outline


def folder_label(meaning: Meaning) -> tuple[bool | None, str | None]:
    """Whether a photo is NG and its kind of defect, as far as its folders say so; None: they do not.

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

    Photos that only the labels know are kept, so that it is seen that they are missing.

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
    contradicted = []
    for photo, label in labels.items():
        meaning = tree.meaning(photo)
        says_ng = meaning.says_ng
        if label.is_anomalous is not None and says_ng is not None and says_ng != label.is_anomalous:
            contradicted.append((photo, label, f"is {_class(says_ng)} by its folder"))
        elif label.split and meaning.split and label.split != meaning.split:
            contradicted.append((photo, label, f"is in the split {meaning.split} by its folder"))
    if contradicted:
        photo, label, otherwise = contradicted[0]
        said = _class(label.is_anomalous) if label.is_anomalous is not None else "another"
        more = f", and {len(contradicted) - 1} more like it" if len(contradicted) > 1 else ""
        what = said if "split" not in otherwise else f"in the split {label.split}"
        raise DatasetError(
            f"{photo.relative_to(tree.root)} is {what} by {label.source} and {otherwise.removeprefix('is ')}{more}; "
            f"mend one of the two, or {IGNORE}."
        )


def _class(is_anomalous: bool) -> str:
    return "NG" if is_anomalous else "OK"
