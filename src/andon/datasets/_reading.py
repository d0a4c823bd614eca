"""From a folder to a data set: which layout it is in, and what its owner should know of the reading."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from andon.datasets._dataset import Dataset, Reading, purpose
from andon.datasets._label_tables import found_tables
from andon.datasets._layouts import layout as load
from andon.datasets._layouts import names
from andon.datasets._masks import finder_of
from andon.datasets._tree import PhotoTree
from andon.datasets._unread import check_unread
from andon.datasets._words import ClassNames, says_by_itself
from andon.errors import DatasetError
from andon.images import Walk, subfolders
from andon.types import Sample

SPLITS = ("train", "calibration", "test", None)
"""The order of the samples."""
WITHOUT_LABELS = ("mvtec", "mvtec_ad2", "folder")
"""The layouts that go by folders alone."""
LABEL_FILES = ("roboflow", "coco", "yolo", "table")
"""The layouts that read labels from files; only one of them may be there."""


def read(
    root: Path,
    layout: str | None = None,
    ng_names: Sequence[str] = (),
    ok_names: Sequence[str] = (),
    *,
    also_ng: Sequence[str] = (),
    ng_from: float | None = None,
    ignore_labels: bool = False,
) -> Dataset:
    """The data set in the folder `root`.

    Args:
        layout: its name, or None for the first of `names()` that recognises the folder.
        ng_names, ok_names: how the set calls NG and OK where it has names of its own, of folders, labels or photos.
        also_ng: as `ng_names`, for the sets that have them: the names of a recipe.
        ng_from: the number from which on a photo is NG, where a table holds probabilities.
        ignore_labels: go by the names of folders alone, whatever tables, annotations or masks say.

    Raises:
        DatasetError: `root` is not a folder, is empty, holds only one photo, has no known layout, has labels
            that cannot be read or contradict each other or the folders; or a name that was given matches nothing, or
            `ng_from` is not finite.
        ConfigError: there is no layout of that name.
    """
    if ng_from is not None and not math.isfinite(ng_from):
        raise DatasetError(f"No photo is NG from {ng_from:g} on; give a number with --ng-from, such as 0.5.")
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give the folder that holds the photos.")
    class_names = ClassNames(tuple(ok_names), tuple(ng_names), tuple(also_ng))
    tree = PhotoTree.of(root, class_names, ng_from=ng_from, ignore_labels=ignore_labels)
    _check_not_empty(tree)
    try:
        name = layout or _recognise(tree)
        found = load(name).read(tree)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"{root} cannot be read ({reason}); check the permissions of its folders.") from None
    if ng_from is not None and name not in ("table", "roboflow"):
        raise DatasetError(f"--ng-from is for a table of labels, but {root} is read as {name}; leave it out.")
    reading = found if isinstance(found, Reading) else Reading(tuple(found))
    if len(reading.samples) < 2:
        number = "only one photo" if reading.samples else "no photos"
        raise DatasetError(f"{root}, read as {name}, holds {number}; expected several: {load(name).LOOKS_LIKE}.")
    looked_for_labels = layout is None and not ignore_labels
    unread = found_tables(tree).notes if looked_for_labels and name not in LABEL_FILES else ()
    notes = (*reading.notes, *unread)
    samples = tuple(sorted(reading.samples, key=lambda sample: SPLITS.index(sample.split)))
    return Dataset(root, name, samples, tree.left_out, tuple(dict.fromkeys(notes)), _unused(tree, samples))


def _check_not_empty(tree: PhotoTree) -> None:
    if not tree.pictures:
        left_out = Walk(left_out=tree.left_out).summary()
        what = f"{tree.root} holds no photos{f' ({left_out})' if left_out else ''}"
        raise DatasetError(f"{what}; copy at least two photos of OK parts into it.")


def _unused(tree: PhotoTree, samples: Iterable[Sample]) -> tuple[Path, ...]:
    """The pictures that are neither a photo of the data set nor a mask."""
    finder = finder_of(tree)
    used = {path for sample in samples for path in (sample.path, *sample.masks)}
    masks = {mask for photo in finder.photos if photo in used for mask in finder.of(photo)}
    return tuple(picture for picture in tree.pictures if picture not in used and picture not in masks)


def _recognise(tree: PhotoTree) -> str:
    """The name of the folder's layout.

    Raises:
        DatasetError: there is none, there are labels in several forms, or in one that Andon does not read.
    """
    known = [name for name in WITHOUT_LABELS if name in names()] if tree.ignore_labels else names()
    found = [name for name in known if load(name).recognises(tree)]
    forms = [name for name in found if name in LABEL_FILES]
    if len(forms) > 1:
        raise DatasetError(f"{tree.root} holds labels in several forms; choose one with --layout: {', '.join(forms)}.")
    if not tree.ignore_labels and not forms:
        check_unread(tree)
    if found:
        return found[0]
    inner = [folder.name for folder in subfolders(tree.root) if _is_recognised(folder)]
    if inner:
        raise DatasetError(
            f"{tree.root} is not itself a data set; give one of the folders in it: {', '.join(inner)}; or, if they are "
            "classes of one part, say which are OK and NG with --ok-name and --ng-name."
        )
    expected = "; ".join(f"{load(name).LOOKS_LIKE} ({name})" for name in names())
    raise DatasetError(
        f"{tree.root} has no layout that Andon knows; expected one of: {expected}. Or name the folders with "
        "--ok-name and --ng-name, or with --ok and --ng."
    )


def _is_recognised(folder: Path) -> bool:
    tree = PhotoTree.of(folder, ignore_labels=True)
    return any(load(name).recognises(tree) for name in WITHOUT_LABELS)


def photos_of_one_class(folder: Path, *, ng: bool) -> tuple[list[Path], tuple[str, ...]]:
    """The OK or the NG photos of a folder that may hold others, too, and what the user should know of that.

    Where nothing in the folder says what is OK, all its photos are what is asked for. Of a data set with splits, OK
    photos are those that calibrate, NG photos those that test.

    Raises:
        DatasetError: it holds none of these, or is called the opposite.
    """
    tree = PhotoTree.of(folder)
    _check_not_empty(tree)
    asked, opposite = ("NG", "OK") if ng else ("OK", "NG")
    if not _says_something(tree):
        if says_by_itself(tree.root) is (not ng):
            raise DatasetError(f"{folder} says {opposite} by its name; expected a folder of {asked} photos.")
        return list(finder_of(tree).photos), tuple(filter(None, (Walk(left_out=tree.left_out).summary(),)))
    dataset = read(folder)
    wanted = [sample for sample in dataset.samples if purpose(sample) == ("test" if ng else "calibrate")]
    wanted += [s for s in dataset.samples if s.split is None and s.is_anomalous is False and not ng]
    chosen = [sample.path for sample in wanted if sample.is_anomalous is ng]
    if not chosen:
        raise DatasetError(
            f"{folder} is a data set ({dataset.describe()}), and no {asked} photos in it can be used here; give the "
            f"folder that holds the {asked} photos alone."
        )
    n_others = len(dataset.samples) - len(chosen)
    note = f"{len(chosen)} {asked} photos of {folder} are used; the {n_others} others in it are left out."
    return chosen, (*dataset.remarks, *([note] if n_others else []))


def _says_something(tree: PhotoTree) -> bool:
    """Whether names of folders or photos, or labels, say which photos are OK."""
    meanings = map(tree.meaning, finder_of(tree).photos)
    return (
        any(meaning.says_ng is not None or meaning.split for meaning in meanings)
        or any(tree.names.says_ng(photo.stem) for photo in finder_of(tree).photos)
        or any(load(name).recognises(tree) for name in names() if name not in WITHOUT_LABELS)
    )
