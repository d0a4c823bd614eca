"""What several layouts share: the words that folders are named by, and finding photos and masks in them."""

from __future__ import annotations

from pathlib import Path

from andon.images import walk
from andon.types import Sample, Split

OK_NAMES = frozenset({"ok", "good", "normal"})
NG_NAMES = frozenset(
    {"ng", "nok", "ko", "not_ok", "bad", "defect", "defects", "defective", "anomaly", "anomalous", "abnormal"}
)
MASK_NAMES = frozenset({"ground_truth", "mask", "masks"})
SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "valid": "calibration",
    "val": "calibration",
    "validation": "calibration",
    "calibration": "calibration",
    "test": "test",
}


def photos_below(folder: Path) -> list[Path]:
    """The photos in `folder` and in the folders below it."""
    return list(walk(folder).photos)


def ok_samples(folder: Path, split: Split | None) -> list[Sample]:
    """Every photo below `folder`, as OK."""
    return [Sample(photo, is_anomalous=False, split=split) for photo in photos_below(folder)]


def ng_samples(folder: Path, split: Split | None, mask_roots: list[Path]) -> list[Sample]:
    """Every photo below `folder`, as NG; a folder within it names the kind of defect, otherwise `folder` does.

    Masks are looked for in the folder of the same name in each of `mask_roots`.
    """
    samples = []
    masks = masks_by_stem([root / folder.name for root in mask_roots])
    for photo in photos_below(folder):
        inner = photo.relative_to(folder).parts
        defect = inner[0] if len(inner) > 1 else folder.name
        mask = masks.get(f"{photo.stem}_mask") or masks.get(photo.stem)
        samples.append(Sample(photo, is_anomalous=True, mask_path=mask, split=split, defect=defect))
    return samples


def masks_by_stem(folders: list[Path]) -> dict[str, Path]:
    """The pictures of `folders` by file name without its ending; folders that do not exist hold none."""
    return {mask.stem: mask for folder in folders if folder.is_dir() for mask in photos_below(folder)}


def has_photo(folder: Path) -> bool:
    """Whether there is any photo below `folder`."""
    return bool(walk(folder).photos)
