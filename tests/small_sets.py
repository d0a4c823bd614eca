"""Small data sets for the tests that read some, and what is read of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from andon import datasets, images
from andon.datasets import Dataset
from andon.types import Mask, Sample

SIZE = (20, 30)

Facts = tuple[object, ...]


def make(root: Path, *names: str) -> None:
    """A small photo at each path."""
    for name in names:
        rng = np.random.default_rng(list(name.encode()))
        images.write(root / name, rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8))


def mask(path: Path, *, marks: bool = True) -> None:
    """A mask with a defect in rows 4 to 8 and columns 6 to 15, or without any."""
    drawn = np.zeros((*SIZE, 3), dtype=np.uint8)
    if marks:
        drawn[4:9, 6:16] = 255
    images.write(path, drawn)


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    """A text file, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)


def facts(samples: tuple[Sample, ...], root: Path) -> dict[str, Facts]:
    """Path -> (split, is_anomalous, defect, masks)."""
    return {
        sample.path.relative_to(root).as_posix(): (
            sample.split,
            sample.is_anomalous,
            sample.defect,
            " + ".join(mask.relative_to(root).as_posix() for mask in sample.masks) or None,
        )
        for sample in samples
    }


def labels(dataset: Dataset) -> dict[str, bool | None]:
    """Path -> whether it is NG."""
    return {sample.path.relative_to(dataset.root).as_posix(): sample.is_anomalous for sample in dataset.samples}


def truth(sample: Sample) -> Mask:
    """The sample's ground truth."""
    found, _ = datasets.read_mask(sample, SIZE)
    assert found is not None
    return found
