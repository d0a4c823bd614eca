"""Which files are photos, and what is said of the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from andon import images
from andon.errors import DatasetError
from andon.images import formats


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def names(root: Path, photos: Iterable[Path]) -> list[str]:
    return [photo.relative_to(root).as_posix() for photo in photos]


def test_photos_come_in_natural_order_whatever_the_case_of_their_endings(tmp_path: Path) -> None:
    in_order = [
        "2/img1.JPG",
        "10/img1.jpe",
        "img.png",
        "img1.png",
        "img2.JFIF",
        "img2b.png",
        "Img10.tif",
        "img10a.WebP",
        "img011.gif",
        "x.bmp",
    ]
    found = images.walk(touch(tmp_path, *reversed(in_order)))
    assert names(tmp_path, found.photos) == in_order
    assert found.left_out == () and found.summary() == ""
    assert names(tmp_path, images.walk_folder(tmp_path).photos) == in_order[2:]
    assert names(tmp_path, images.subfolders(tmp_path)) == ["2", "10"]


def test_what_is_left_out_is_said_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "SUFFIXES", formats.SUFFIXES - set(formats.HEIF_ENDINGS))
    touch(tmp_path, "a.png", "b.HEIC", "lot/c.heic", "d.pgm", ".e.png", "lot/.f.png", "Thumbs.db", "photo", "notes.txt")
    touch(tmp_path, ".git/g.png", "@eaDir/a.png/h.jpg", "lot/@eaDir/i.jpg", "__MACOSX/j.png")
    found = images.walk(tmp_path)
    assert names(tmp_path, found.photos) == ["a.png"]
    assert found.summary() == (
        "7 files left out: 2 hidden, 2 .heic (pip install 'andon[heic]'), 1 .pgm (not read), 1 without an ending, "
        f"1 left by Windows; 4 folders left out: 2 thumbnails of a network drive, {tmp_path}/.git, hidden, "
        f"{tmp_path}/__MACOSX, left by macOS"
    )
    assert names(tmp_path, images.subfolders(tmp_path)) == ["lot"]


def test_a_folder_counts_once_however_many_links_lead_to_it(tmp_path: Path) -> None:
    root, store = tmp_path / "root", tmp_path / "store"
    touch(root, "own/1.png"), touch(store, "far/2.png")
    for link, target in {"a": "own", "b": "../store", "c": "../store/far", "d": ".", "own/e": "..", "f": "f"}.items():
        (root / link).symlink_to(target)
    found = images.walk(root)
    assert names(root, found.photos) == ["b/far/2.png", "own/1.png"]  # "own" by its own name, not by the link's
    assert names(root, (item.path for item in found.left_out if item.is_folder)) == ["a", "c", "d", "own/e"]
    assert names(root, images.subfolders(root)) == ["b", "c", "own"]
    assert names(root, images.walk(root / "b").photos) == ["b/far/2.png"]


def test_what_andon_wrote_is_not_read_again(tmp_path: Path) -> None:
    touch(tmp_path, "1.png")
    images.mark_output(tmp_path / "results")
    touch(tmp_path, "results/deep/2.png")
    (tmp_path / "link").symlink_to("results/deep")
    assert names(tmp_path, images.walk(tmp_path).photos) == ["1.png"]
    assert images.walk(tmp_path).summary() == "2 folders left out: 2 written by Andon"
    assert images.subfolders(tmp_path) == []
    for look in (images.walk, images.walk_folder):
        assert look(tmp_path / "results").photos == ()
        assert "written by Andon" in look(tmp_path / "results").summary()


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "1.png", "secret/2.png")

    def scandir(folder: Path, look: Callable[[Path], Any] = os.scandir) -> Any:  # root may read whatever is forbidden
        if folder.name == "secret":
            raise PermissionError(13, "Permission denied")
        return look(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    found = images.walk(tmp_path)
    assert names(tmp_path, found.photos) == ["1.png"]
    assert found.summary() == f"1 folder left out: {tmp_path}/secret, unreadable (Permission denied)"


def test_a_missing_folder_is_no_photos_and_a_reason(tmp_path: Path) -> None:
    assert images.walk(tmp_path / "gone").summary() == (
        f"1 folder left out: {tmp_path}/gone, unreadable (No such file or directory)"
    )


def test_a_command_line_names_files_folders_and_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/10.png", "a/9.png", "a/x.pgm", "a/@eaDir/9.jpg", "b/1.png", "b/deep/2.png", "[1].png", "n.txt")
    monkeypatch.chdir(tmp_path)

    def expanded(*arguments: str) -> list[str]:
        return [photo.as_posix() for photo in images.expand(arguments).photos]

    assert expanded("gone.png", "n.txt", "a", "a/9.png") == ["gone.png", "n.txt", "a/9.png", "a/10.png"]
    assert expanded("[1].png") == ["[1].png"]
    assert expanded("*") == ["[1].png", "a/9.png", "a/10.png", "b/1.png", "b/deep/2.png"]
    assert expanded("**/*.*") == ["[1].png", "a/9.png", "a/10.png", "b/1.png", "b/deep/2.png"]
    assert expanded("a/@eaDir/*") == ["a/@eaDir/9.jpg"]  # somebody wants them
    assert images.expand(["a/*"]).summary() == (
        "1 file left out: 1 .pgm (not read); 1 folder left out: a/@eaDir, thumbnails of a network drive"
    )
    with pytest.raises(DatasetError, match=r"^a/\*.pgm matches no photo; check the pattern; 1 file left out: 1 .pgm"):
        images.expand(["a/*.pgm"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"^empty holds no photos; give a folder with \.jpg"):
        images.expand(["empty"])
