"""Folders that are named as OK and NG, and the photos of one class in a folder that may hold both."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_sets import facts, labels, make, mask, write

from andon import datasets
from andon.errors import DatasetError


def test_folders_are_ok_and_ng_whatever_their_names(tmp_path: Path) -> None:
    make(tmp_path, "monday/a.png", "monday/late/b.png", "tuesday/c.png", "returned/d.png")
    mask(tmp_path / "returned/d_mask.png")
    dataset = datasets.from_folders([tmp_path / "monday", tmp_path / "tuesday"], [tmp_path / "returned"])
    assert dataset.root == tmp_path and dataset.layout == "folders"
    assert facts(dataset.samples, tmp_path) == {
        "monday/a.png": (None, False, None, None),
        "monday/late/b.png": (None, False, None, None),
        "tuesday/c.png": (None, False, None, None),
        "returned/d.png": (None, True, "returned", "returned/d_mask.png"),
    }
    assert dataset.describe() == "Layout folders: 3 OK to learn from, 1 NG to test"


def test_folders_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    make(tmp_path, "d/ok/a.png", "d/ok/b.png", "d/ng/c.png")
    with pytest.raises(
        DatasetError, match=r"d/ng/c\.png lies in a folder that says NG, within .*d, which was given with"
    ):
        datasets.from_folders([tmp_path / "d"])
    with pytest.raises(DatasetError, match=r"is both in a folder of --ok and in one of --ng"):
        datasets.from_folders([tmp_path / "d/ok"], [tmp_path / "d/ok"])
    with pytest.raises(DatasetError, match="is not a folder"):
        datasets.from_folders([tmp_path / "nowhere"])


def test_paths_from_the_root_beside_paths_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "set/a/1.png", "set/b/2.png")
    monkeypatch.chdir(tmp_path)
    dataset = datasets.from_folders([Path("set/a")], [tmp_path / "set/b"])
    assert labels(dataset) == {"a/1.png": False, "b/2.png": True}


def test_a_folder_that_says_nothing_holds_what_is_asked_for(tmp_path: Path) -> None:
    make(tmp_path, "monday/a.png", "tuesday/b.png", "c.png")
    for ng in (False, True):
        photos, remarks = datasets.photos_of_one_class(tmp_path, ng=ng)
        assert [photo.name for photo in photos] == ["c.png", "a.png", "b.png"] and remarks == ()


def test_of_a_folder_that_holds_both_only_those_asked_for_are_taken(tmp_path: Path) -> None:
    make(tmp_path, "ok/a.png", "ok/b.png", "ng/c.png", "unsorted/d.png")
    photos, remarks = datasets.photos_of_one_class(tmp_path, ng=False)
    assert [photo.name for photo in photos] == ["a.png", "b.png"]
    assert remarks[-1] == f"2 OK photos of {tmp_path} are used; the 1 others in it are left out."
    photos, _ = datasets.photos_of_one_class(tmp_path, ng=True)
    assert [photo.name for photo in photos] == ["c.png"]
    with pytest.raises(DatasetError, match="says NG by its name; expected a folder of OK photos"):
        datasets.photos_of_one_class(tmp_path / "ng", ng=False)


def test_labels_in_a_table_count_here_too(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png", "c.png")
    write(tmp_path / "labels.csv", "file,label\na.png,ok\nb.png,ok\nc.png,ng\n")
    photos, _ = datasets.photos_of_one_class(tmp_path, ng=False)
    assert [photo.name for photo in photos] == ["a.png", "b.png"]


def test_of_a_set_with_splits_those_that_calibrate_are_taken(tmp_path: Path) -> None:
    make(tmp_path, "train/good/a.png", "train/good/b.png", "test/good/c.png", "test/dent/d.png")
    with pytest.raises(
        DatasetError, match="no OK photos in it can be used here; give the folder that holds the OK photos"
    ):
        datasets.photos_of_one_class(tmp_path, ng=False)
    make(tmp_path, "valid/good/e.png")
    photos, _ = datasets.photos_of_one_class(tmp_path, ng=False)
    assert [photo.name for photo in photos] == ["e.png"]
