"""Plain folders, as people make them.

OK photos alone; folders whose names say OK or NG in the usual words of many languages; the same within train/, valid/
and test/, where a folder of test/ that is not OK is a kind of defect. Masks may lie beside their photos or in folders
such as ground_truth/<defect>. A folder that says neither has no part, and is named.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from andon.datasets._dataset import Reading
from andon.datasets._labels import IGNORE, folder_label
from andon.datasets._masks import MaskFinder, finder_of
from andon.datasets._tree import PhotoTree
from andon.datasets._words import says_by_itself, some
from andon.errors import DatasetError
from andon.types import Sample, Split

LOOKS_LIKE = "OK photos alone, or ok/ and ng/, or train/ok, test/ok and test/<defect>"
SPECIFICITY = 1


def recognises(tree: PhotoTree) -> bool:
    """Whether photos lie directly in the folder, or in folders with names that say something."""
    meanings = [meaning for meaning in map(tree.meaning, tree.pictures) if not meaning.is_masks]
    return any(meaning.nameless is None or meaning.split is not None for meaning in meanings)


def read(tree: PhotoTree) -> Reading:
    """The photos of train/, valid/ and test/ where there are such folders, otherwise of the folder itself.

    Photos without a split: what is OK may train, what the model has not seen may test it.

    Raises:
        DatasetError: photos of train/ or valid/ lie in a folder that does not say whether they are OK; or the folder
            itself, or the names of some photos in it, say NG; or a name that was given matches nothing.
    """
    finder = finder_of(tree)
    samples = {photo: sample for photo in finder.photos if (sample := _by_folder(tree, finder, photo))}
    loose: dict[Split | None, list[Path]] = defaultdict(list)
    for photo in finder.photos:
        if photo not in samples and tree.meaning(photo).nameless is None:
            loose[tree.meaning(photo).split].append(photo)
    has_splits = any(tree.meaning(photo).split for photo in finder.photos)
    with_ok = {sample.split for sample in samples.values() if sample.is_anomalous is False}
    _check_names(tree, [photo for photos in loose.values() for photo in photos])
    notes = []
    for split, photos in loose.items():
        if split is None and has_splits:
            continue  # beside train/ and test/, they have no part
        is_ok = split != "test" and split not in with_ok
        labels, note = _by_name(tree, photos, is_ok)
        samples |= {photo: Sample(photo, label, finder.of(photo) if label else (), split) for photo, label in labels}
        notes += [note] if note else []
    _check_nameless(tree, finder.photos, {sample.split for sample in samples.values()})
    return Reading(tuple(samples[photo] for photo in finder.photos if photo in samples), tuple(notes))


def _by_folder(tree: PhotoTree, finder: MaskFinder, photo: Path) -> Sample | None:
    """The photo as its folders label it; None where they do not."""
    meaning = tree.meaning(photo)
    is_anomalous, defect = folder_label(meaning)
    if is_anomalous is None:
        return None
    return Sample(photo, is_anomalous, finder.of(photo) if is_anomalous else (), meaning.split, defect)


def _by_name(tree: PhotoTree, photos: list[Path], is_ok: bool) -> tuple[list[tuple[Path, bool | None]], str]:
    """The label of each photo that lies in no class folder, and what the user must know of it.

    Where the names of all of them say OK or NG, as OK_001.png does, these are the labels.

    Args:
        is_ok: photos in this place are OK.
    """
    said = [(photo, tree.names.says_ng(photo.stem)) for photo in photos]
    ng = [photo.name for photo, says_ng in said if says_ng]
    if ng and not tree.ignore_labels:
        silent = [photo.name for photo, says_ng in said if says_ng is None]
        if not silent:
            return said, f"The names of the photos say which are NG: {some(ng)}."
        if is_ok:
            raise DatasetError(
                f"{some(ng)} in {photos[0].parent} say NG in their names, while {some(silent)} do not say; move them "
                f"into a folder ng, or {IGNORE}."
            )
    return [(photo, False if is_ok else None) for photo in photos], ""


def _check_names(tree: PhotoTree, loose: list[Path]) -> None:
    stems = [photo.stem for photo in loose if tree.names.is_own(photo.stem)]
    tree.names.check_used([*tree.folder_names, *stems], f"folder or photo in {tree.root}")
    if says_by_itself(tree.root) and any(photo.parent == tree.root for photo in loose):
        raise DatasetError(
            f"{tree.root} says NG by its name, and nothing in it says OK; if its photos are OK, give it with --ok."
        )


def _check_nameless(tree: PhotoTree, photos: tuple[Path, ...], used: set[Split | None]) -> None:
    """In train/ and valid/, folders that say nothing are left out only beside photos that are used."""
    for photo in photos:
        meaning = tree.meaning(photo)
        if meaning.nameless and meaning.split in ("train", "calibration") and meaning.split not in used:
            parent = meaning.nameless.parent
            raise DatasetError(
                f"{meaning.nameless} does not say whether its photos are OK; expected {parent}/ok or {parent}/ng: "
                "rename it, or name it with --ok-name or --ng-name."
            )
