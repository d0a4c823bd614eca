"""One category of MVTec AD 2: train/good, validation/good, test_public/good and bad, and private photos to test.

The private photos have no public labels, so they have no part.
"""

from __future__ import annotations

from pathlib import Path

from andon.datasets._dataset import Reading
from andon.datasets._masks import MaskFinder, finder_of
from andon.datasets._tree import PhotoTree
from andon.types import Sample, Split

LOOKS_LIKE = "train/good, test_public/good, test_public/bad and test_public/ground_truth/bad/<photo>_mask.png"
SPECIFICITY = 3

FOLDERS: dict[tuple[str, str], tuple[Split, bool]] = {
    ("train", "good"): ("train", False),
    ("validation", "good"): ("calibration", False),
    ("test_public", "good"): ("test", False),
    ("test_public", "bad"): ("test", True),
}
"""Folders -> split, whether it holds NG photos."""


def recognises(tree: PhotoTree) -> bool:
    """Whether there are train/good and test_public."""
    return (tree.root / "train" / "good").is_dir() and (tree.root / "test_public").is_dir()


def read(tree: PhotoTree) -> Reading:
    """The photos of train, validation and test_public, and those of test_private as unlabelled ones.

    Raises:
        DatasetError: names are given, although this layout has its own.
    """
    tree.names.refuse(f"{tree.root} is read as mvtec_ad2, where the folders good and bad say which photos are NG")
    finder = finder_of(tree)
    samples = tuple(_sample(tree.root, finder, photo) for photo in finder.photos)
    return Reading(tuple(sample for sample in samples if sample))


def _sample(root: Path, finder: MaskFinder, photo: Path) -> Sample | None:
    parts = photo.relative_to(root).parts
    if parts[0].startswith("test_private"):
        return Sample(photo, split="test")
    if parts[:2] not in FOLDERS:
        return None
    split, is_ng = FOLDERS[parts[0], parts[1]]
    return Sample(photo, is_ng, finder.of(photo) if is_ng else (), split, "bad" if is_ng else None)
