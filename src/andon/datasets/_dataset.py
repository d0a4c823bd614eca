"""A data set that has been read: its photos, and a line that says what each is for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from andon.types import Sample

PURPOSES = ("to learn from", "to calibrate", "to test", "not used")
CLASSES = ("OK", "NG", "unlabelled")


@dataclass(frozen=True)
class Dataset:
    """The photos of one folder.

    Attributes:
        layout: the name of the layout that it was read by.
    """

    root: Path
    layout: str
    samples: tuple[Sample, ...]

    def describe(self) -> str:
        """One line, such as "mvtec: 209 OK to learn from, 20 OK and 63 NG to test"."""
        counts = Counter((purpose(sample), class_name(sample)) for sample in self.samples)
        parts = []
        for what in PURPOSES:
            classes = [f"{counts[what, name]} {name}" for name in CLASSES if counts[what, name]]
            if classes:
                parts.append(f"{' and '.join(classes)} {what}")
        return f"{self.layout}: {', '.join(parts)}"


def class_name(sample: Sample) -> str:
    """OK, NG or unlabelled."""
    if sample.is_anomalous is None:
        return "unlabelled"
    return "NG" if sample.is_anomalous else "OK"


def purpose(sample: Sample) -> str:
    """What a photo is for: only OK photos learn and calibrate, only labelled ones test.

    Without a split, OK photos are there to learn from and NG photos to test.
    """
    if sample.is_anomalous is None:
        return "not used"
    if sample.is_anomalous:
        return "to test" if sample.split in ("test", None) else "not used"
    return {"train": "to learn from", None: "to learn from", "calibration": "to calibrate", "test": "to test"}[
        sample.split
    ]
