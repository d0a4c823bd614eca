"""A folder of photos, walked once, and what the folders in it say of the photos they hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from andon.datasets._vocabulary import listed
from andon.datasets._words import EVERYDAY, ClassNames, words_of
from andon.errors import DatasetError
from andon.images import subfolders, walk
from andon.images.walk import LeftOut
from andon.types import Split

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "valid": "calibration",
    "val": "calibration",
    "validation": "calibration",
    "calibration": "calibration",
    "test": "test",
    "testing": "test",
    "testpublic": "test",
}
MASK_NAMES = listed(
    "groundtruth groundtruths gt mask masks label labels annotation annotations segmentation segmentations defectmasks "
    "labelmasks"
)
PLAIN_NAMES = listed("image images img imgs photo photos picture pictures rgb bilder fotos")
"""Folders that only say that there are photos in them."""
NEITHER_NAMES = listed(
    "unsorted unlabelled unlabeled unknown unsure unclear undecided mixed misc miscellaneous todo tosort other others "
    "private testprivate testprivatemixed new archive backup"
)
"""Folders that are not a kind of defect, even beside test/good."""
EXCLUDE_FILE = "exclude.txt"
"""Names photos that the user leaves out, see `_exclude`; so it holds no labels."""
LABEL_ENDINGS = frozenset({".csv", ".tsv", ".txt", ".json", ".xml", ".xls", ".xlsx", ".ods"})


@dataclass(frozen=True)
class Meaning:
    """What the names of a folder and of those above it say of the photos in it.

    Attributes:
        says_ng: True for NG, False for OK, None for neither.
        defect: the folder directly within the NG folder, otherwise the NG folder itself; None where it is not NG.
        nameless: the outermost folder that is neither a split nor a class; None where there is none.
        is_masks: the pictures in it are masks.
    """

    split: Split | None = None
    says_ng: bool | None = None
    ng_folder: Path | None = None
    defect: str | None = None
    nameless: Path | None = None
    is_masks: bool = False


@dataclass(frozen=True, eq=False)
class PhotoTree:
    """A folder that holds a data set, and what its classes are called.

    Attributes:
        pictures: all photos and masks below `root`, in natural order.
        left_out: files and folders that were not looked at.
        names: what OK and NG are called in it.
        ng_from: the probability from which on a photo is NG in a table that holds such; None where nobody has said.
        ignore_labels: whether folders alone say what is OK.
    """

    root: Path
    pictures: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()
    names: ClassNames = EVERYDAY
    ng_from: float | None = None
    ignore_labels: bool = False

    @classmethod
    def of(
        cls,
        root: Path,
        names: ClassNames = EVERYDAY,
        *,
        ng_from: float | None = None,
        ignore_labels: bool = False,
    ) -> PhotoTree:
        """Walk the folder `root`."""
        found = walk(root)
        return cls(root, found.photos, found.left_out, names, ng_from, ignore_labels)

    def meaning(self, picture: Path) -> Meaning:
        """What the folders around a picture say of it.

        Raises:
            DatasetError: an NG folder lies in an OK folder, or a name matches what was given for both.
        """
        return self._meaning_of(picture.parent)

    def _meaning_of(self, folder: Path) -> Meaning:
        if folder not in self._meanings:
            self._meanings[folder] = self._within(self._meaning_of(folder.parent), folder)
        return self._meanings[folder]

    @cached_property
    def _meanings(self) -> dict[Path, Meaning]:
        """Those of the folders that were asked for."""
        return {self.root: Meaning()}

    def _within(self, outer: Meaning, folder: Path) -> Meaning:
        joined = "".join(words_of(folder.name))
        if outer.is_masks or joined in MASK_NAMES:
            return replace(outer, is_masks=True)
        says_ng = self.names.says_ng(folder.name)
        if says_ng is None and joined in SPLIT_NAMES and outer.split is None:
            return replace(outer, split=SPLIT_NAMES[joined])
        if outer.says_ng:
            return replace(outer, defect=folder.name) if folder.parent == outer.ng_folder else outer
        if says_ng and outer.says_ng is False:
            raise DatasetError(
                f"{folder} says NG and lies in a folder that says OK; move one of them, or rename the inner one."
            )
        if says_ng:
            return replace(outer, says_ng=True, ng_folder=folder, defect=folder.name)
        if says_ng is False:
            return replace(outer, says_ng=False)
        if joined in PLAIN_NAMES or outer.says_ng is False:
            return outer
        return replace(outer, nameless=outer.nameless or folder)

    @cached_property
    def label_files(self) -> tuple[Path, ...]:
        """The files in which labels may stand: below `root` and directly above it."""
        return (*self.files_above, *(file for folder in self.folders for file in _label_files(folder)))

    @cached_property
    def files_above(self) -> tuple[Path, ...]:
        """Those of `label_files` that lie directly above `root`."""
        try:
            return _label_files(folder_above(self.root))
        except PermissionError:  # one may read a folder without being allowed to list the one above
            return ()

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """`root` and the folders below it, whether they hold pictures or not."""
        found: dict[Path, Path] = {}
        waiting = [self.root]
        while waiting:
            folder = waiting.pop(0)
            if folder.resolve() not in found:
                found[folder.resolve()] = folder
                waiting += subfolders(folder)
        return tuple(found.values())

    @property
    def folder_names(self) -> list[str]:
        """The names of all folders below `root`, each once for every folder."""
        return [folder.name for folder in self.folders[1:]]


def folder_above(root: Path) -> Path:
    """The folder that holds `root`, written as it is."""
    return root.absolute().parent if root.name in ("", "..") else root.parent


def _label_files(folder: Path) -> tuple[Path, ...]:
    files = (path for path in folder.iterdir() if path.suffix.lower() in LABEL_ENDINGS and path.name != EXCLUDE_FILE)
    return tuple(sorted(path for path in files if path.is_file() and not path.name.startswith(".")))
