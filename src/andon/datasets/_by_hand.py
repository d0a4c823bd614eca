"""Photos that the user labels on the command line: folders of OK ones, folders of NG ones, or one kind of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from andon.datasets._dataset import Dataset
from andon.datasets._masks import finder_of
from andon.datasets._tree import PhotoTree
from andon.errors import DatasetError
from andon.images import LeftOut
from andon.types import Sample

LAYOUT = "folders"


def from_folders(ok: Sequence[Path], ng: Sequence[Path] = ()) -> Dataset:
    """The data set of folders whose photos are all OK and of folders whose photos are all NG, whatever their names.

    It has no splits: OK photos may train, and what the model has not seen may test it.

    Raises:
        DatasetError: one is not a folder or holds no photos, or a photo is in folders of both kinds.
    """
    if len({folder.is_absolute() for folder in (*ok, *ng)}) > 1:
        ok, ng = ([folder.absolute() for folder in folders] for folders in (ok, ng))
    samples: dict[Path, Sample] = {}
    left_out: list[LeftOut] = []
    for folder, is_ng in (*((folder, False) for folder in ok), *((folder, True) for folder in ng)):
        tree = _tree(folder)
        left_out += tree.left_out
        for sample in _samples(tree, is_ng):
            known = samples.setdefault(sample.path.resolve(), sample)
            if known.is_anomalous != is_ng:
                raise DatasetError(f"{sample.path} is both in a folder of --ok and in one of --ng; take it out of one.")
    if len(samples) < 2:
        raise DatasetError("The folders of --ok and --ng hold fewer than two photos; give more.")
    return Dataset(_common([*ok, *ng]), LAYOUT, tuple(samples.values()), tuple(dict.fromkeys(left_out)))


def _tree(folder: Path) -> PhotoTree:
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; give folders that hold photos with --ok and --ng.")
    tree = PhotoTree.of(folder)
    if not tree.pictures:
        raise DatasetError(f"{folder} holds no photos; give folders that hold photos with --ok and --ng.")
    return tree


def _samples(tree: PhotoTree, is_ng: bool) -> Iterator[Sample]:
    finder = finder_of(tree)
    for photo in finder.photos:
        if tree.meaning(photo).says_ng is (not is_ng):
            given, says = ("--ng", "OK") if is_ng else ("--ok", "NG")
            raise DatasetError(
                f"{photo} lies in a folder that says {says}, within {tree.root}, which was given with {given}; give "
                "only the folders that you mean."
            )
        yield Sample(photo, is_ng, finder.of(photo) if is_ng else (), defect=tree.root.name if is_ng else None)


def _common(folders: Sequence[Path]) -> Path:
    """The folder that holds all of them; the first, where they lie on several drives."""
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:
        return folders[0]
