"""Photos whose masks say which are NG: what a mask marks is NG, an empty mask says OK.

Masks lie beside their photos (Part0.jpg, Part0_label.bmp) or in a folder of masks beside theirs. A photo without a mask
is OK where no mask is empty, for then none was drawn for sound parts; otherwise it is unlabelled.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from andon import images
from andon.datasets._dataset import Reading
from andon.datasets._labels import IGNORE, Label, beside_labelled, folder_label, labelled
from andon.datasets._masks import finder_of
from andon.datasets._tree import PhotoTree
from andon.datasets._words import some
from andon.errors import DatasetError, ImageError

LOOKS_LIKE = "photos and their masks, as part1.jpg and part1_mask.png"
SPECIFICITY = 3


def recognises(tree: PhotoTree) -> bool:
    """Whether a photo that is not NG by its folder has a mask."""
    return bool(_masks(tree))


def read(tree: PhotoTree) -> Reading:
    """The photos with their labels.

    Raises:
        DatasetError: a mask cannot be read, or marks a defect in a photo that is OK by its folder; or a name that was
            given matches no folder.
    """
    masks = _masks(tree)
    tree.names.check_used(tree.folder_names, f"folder in {tree.root}")
    labels = {photo: Label(any(map(_marks_any, found)), found[0].name, masks=found) for photo, found in masks.items()}
    n_ng = sum(bool(label.is_anomalous) for label in labels.values())
    notes = [f"Masks: {n_ng} of {len(labels)} mark something, and their photos are read as NG."]
    silent = beside_labelled(tree, masks)
    if silent and n_ng == len(labels):
        labels |= {photo: Label(False, "its missing mask") for photo in silent}
        notes.append(f"Masks: photos without one are read as OK ({some(photo.name for photo in silent)}).")
    return Reading(labelled(tree, labels), tuple(notes))


@lru_cache(maxsize=1)  # whether there are masks is known only when they have been looked for
def _masks(tree: PhotoTree) -> dict[Path, tuple[Path, ...]]:
    """The masks of the photos that are not NG by their folder.

    Of photos that are OK by their folder, only masks beside them count: one in a folder of masks may be another's.
    """
    finder = finder_of(tree)
    found = {}
    for photo in finder.photos:
        is_ng, _ = folder_label(tree.meaning(photo))
        masks = () if is_ng else finder.beside(photo) if is_ng is False else finder.of(photo)
        if masks:
            found[photo] = masks
    return found


def _marks_any(mask: Path) -> bool:
    try:
        return bool(images.read_mask(mask).any())
    except ImageError as error:
        raise DatasetError(f"{error} As a mask it says whether its photo is OK; correct it, or {IGNORE}.") from None
