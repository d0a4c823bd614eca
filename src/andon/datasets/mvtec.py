"""One category of MVTec AD and of the sets that follow it: train/good, test/<defect>, ground_truth/<defect>.

The masks of a photo may also lie in a folder of its name, as those of MVTec LOCO do.
"""

from __future__ import annotations

from pathlib import Path

from andon.datasets._dataset import Reading
from andon.datasets._masks import MaskFinder, finder_of
from andon.datasets._tree import NEITHER_NAMES, PhotoTree
from andon.datasets._words import says_by_itself, words_of
from andon.types import Sample, Split

LOOKS_LIKE = "train/good, test/good, test/<defect> and ground_truth/<defect>/<photo>_mask.png"
SPECIFICITY = 2

GOOD = "good"
OF_GOOD: dict[str, Split] = {"train": "train", "validation": "calibration", "test": "test"}


def recognises(tree: PhotoTree) -> bool:
    """Whether there are train/good and ground_truth or validation/good."""
    root = tree.root
    return (root / "train" / GOOD).is_dir() and (
        (root / "ground_truth").is_dir() or (root / "validation/good").is_dir()
    )


def read(tree: PhotoTree) -> Reading:
    """The photos of train/good, validation/good where there is one, and test.

    Raises:
        DatasetError: names are given, although in this layout every folder of test/ but good is NG.
    """
    tree.names.refuse(f"{tree.root} is read as mvtec, where every folder of test/ but good holds NG photos")
    finder = finder_of(tree)
    return Reading(tuple(sample for photo in finder.photos if (sample := _sample(tree.root, finder, photo))))


def _sample(root: Path, finder: MaskFinder, photo: Path) -> Sample | None:
    parts = photo.relative_to(root).parts[:-1]
    if len(parts) < 2 or parts[0] not in OF_GOOD:
        return None
    if parts[1] == GOOD:
        return Sample(photo, is_anomalous=False, split=OF_GOOD[parts[0]])
    if parts[0] != "test" or "".join(words_of(parts[1])) in NEITHER_NAMES:
        return None
    if says_by_itself(root / "test" / parts[1]) is False:  # test/ok beside train/good
        return Sample(photo, is_anomalous=False, split="test")
    return Sample(photo, True, finder.of(photo), "test", parts[2] if len(parts) > 2 else parts[1])
