"""One category of MVTec AD and of the sets that follow it: train/good, test/<defect>, ground_truth/<defect>."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from andon.datasets._folders import ng_samples, ok_samples
from andon.errors import DatasetError
from andon.images import subfolders
from andon.types import Sample

LOOKS_LIKE = "train/good, test/good, test/<defect> and ground_truth/<defect>/<photo>_mask.png"
SPECIFICITY = 2


def recognises(root: Path) -> bool:
    """Whether there are train/good and ground_truth or validation/good."""
    return (root / "train" / "good").is_dir() and (
        (root / "ground_truth").is_dir() or (root / "validation" / "good").is_dir()
    )


def read(root: Path, ng_names: Sequence[str] = ()) -> list[Sample]:
    """The photos of train/good, validation/good where there is one, and test.

    Raises:
        DatasetError: `ng_names` is given, although in this layout every folder of test/ but good is NG.
    """
    if ng_names:
        raise DatasetError(
            f"{root} is read as mvtec, where every folder of test/ but good holds NG photos; "
            "leave --ng-name out or choose another --layout."
        )
    samples = []
    if (root / "train" / "good").is_dir():
        samples += ok_samples(root / "train" / "good", "train")
    if (root / "validation" / "good").is_dir():
        samples += ok_samples(root / "validation" / "good", "calibration")
    for folder in subfolders(root / "test") if (root / "test").is_dir() else []:
        if folder.name == "good":
            samples += ok_samples(folder, "test")
        else:
            samples += ng_samples(folder, "test", [root / "ground_truth"])
    return samples
