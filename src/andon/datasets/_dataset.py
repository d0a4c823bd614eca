"""A data set that has been read: its photos, what each is for, and what its owner should know of the reading."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from andon.datasets._words import some
from andon.images import LeftOut, Walk
from andon.types import Sample

Purpose = Literal["train", "calibrate", "test", "unused"]
PURPOSES: dict[Purpose, str] = {
    "train": "to learn from",
    "calibrate": "to calibrate",
    "test": "to test",
    "unused": "not used",
}
"""What photos are for, in words."""
CLASSES = ("OK", "NG", "unlabelled")


@dataclass(frozen=True)
class Reading:
    """What a layout reads from a folder.

    Attributes:
        notes: sentences for the user, such as how labels were understood.
    """

    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """The photos of one folder.

    Attributes:
        layout: the name of the layout that it was read by.
        left_out: files and folders that were not read as photos.
        notes: sentences on how labels were understood.
        unused: pictures that are not part of it, as nothing says what they are.
        excluded: photos of its folder that the user leaves out, see `excluding`.
        session_note: a sentence on its capture sessions, see `with_sessions`; empty where nobody has asked.
    """

    root: Path
    layout: str
    samples: tuple[Sample, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[Path, ...] = ()
    excluded: tuple[Sample, ...] = ()
    session_note: str = ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that the user should be told of the reading, one line per remark."""
        summary = Walk(left_out=self.left_out).summary()
        return (*self.notes, *filter(None, (self.unused_in_words(), summary and f"{summary}.")))

    def unused_in_words(self) -> str:
        """How many pictures are not used, and in which folders; empty if all are."""
        if not self.unused:
            return ""
        folders = Counter(self.name_of(picture.parent) for picture in self.unused)
        listed = some((f"{n} in {'the folder itself' if name == '.' else name}" for name, n in folders.items()), 8)
        pictures = "1 picture is" if len(self.unused) == 1 else f"{len(self.unused)} pictures are"
        return (
            f"{pictures} left out, as nothing says what to do with {'it' if len(self.unused) == 1 else 'them'} "
            f"({listed}); name folders that belong to the set with --ok-name or --ng-name."
        )

    def describe(self) -> str:
        """One line, such as "Layout mvtec: 209 OK to learn from, 20 OK and 63 NG to test"."""
        counts = Counter((purpose(sample), class_name(sample)) for sample in self.samples)
        parts = []
        for what, words in PURPOSES.items():
            classes = [f"{counts[what, name]} {name}" for name in CLASSES if counts[what, name]]
            if classes:
                parts.append(f"{' and '.join(classes)} {words}")
        return f"Layout {self.layout}: {', '.join(parts)}"

    def name_of(self, path: Path) -> str:
        """A file's path from the data set's folder; the whole path where it lies elsewhere."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()


def class_name(sample: Sample) -> str:
    """OK, NG or unlabelled."""
    if sample.is_anomalous is None:
        return "unlabelled"
    return "NG" if sample.is_anomalous else "OK"


def purpose(sample: Sample) -> Purpose:
    """What a photo is for: only OK photos train and calibrate, only labelled ones test.

    Without a split, OK photos are there to train and NG photos to test.
    """
    if sample.is_anomalous is None:
        return "unused"
    if sample.is_anomalous:
        return "test" if sample.split in ("test", None) else "unused"
    of_split: dict[str | None, Purpose] = {"train": "train", None: "train", "calibration": "calibrate", "test": "test"}
    return of_split[sample.split]
