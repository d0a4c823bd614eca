"""Pictures are written whole or not at all, never over a file of somebody else, under names that cannot meet."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from andon import images
from andon.errors import ImageError, InputError

PICTURE = np.arange(20 * 30 * 3, dtype=np.uint16).astype(np.uint8).reshape(20, 30, 3)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".jpg", ".webp"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "Prüfling 1" / f"photo{suffix}"
    images.write(path, PICTURE)
    assert images.read(path).shape == PICTURE.shape
    assert suffix in (".jpg", ".webp") or np.array_equal(images.read(path), PICTURE)
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_a_file_of_somebody_else_is_never_replaced(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"a photo")
    with pytest.raises(ImageError, match=r"photo.png exists already and is not replaced; give another folder"):
        images.write(photo, PICTURE)
    assert photo.read_bytes() == b"a photo"
    images.write(tmp_path / "new.png", PICTURE)
    images.write(tmp_path / "new.png", PICTURE)  # the same again


def test_in_its_own_folder_andon_replaces_what_it_wrote_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"a photo")
    images.mark_output(tmp_path / "results")
    images.write(tmp_path / "results" / "deep" / "a.png", PICTURE)
    images.write(tmp_path / "results" / "deep" / "a.png", 255 - PICTURE)
    assert np.array_equal(images.read(tmp_path / "results" / "deep" / "a.png"), 255 - PICTURE)
    (tmp_path / "results" / "b.png").symlink_to(tmp_path / "photo.png")
    images.write(tmp_path / "results" / "b.png", PICTURE)
    assert (tmp_path / "photo.png").read_bytes() == b"a photo"


def test_a_picture_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        path.open("wb").close()
        raise OSError(28, "No space left on device")

    images.mark_output(tmp_path)
    images.write(tmp_path / "a.png", PICTURE)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ImageError, match=r"a.png cannot be written \(No space left on device\)"):
        images.write(tmp_path / "a.png", 255 - PICTURE)
    assert {path.name for path in tmp_path.iterdir()} == {".andon-output", "a.png"}
    assert np.array_equal(images.read(tmp_path / "a.png"), PICTURE)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match=r"cannot be written .*; choose a folder that you may write to"):
        images.write(tmp_path / "file" / "photo.png", PICTURE)
    with pytest.raises(InputError, match=r"cannot be written .*; choose a folder that you may write to"):
        images.mark_output(tmp_path / "file" / "results")
    with pytest.raises(ImageError, match=r"cannot be encoded as .exe; use .png or .jpg"):
        images.write(tmp_path / "photo.exe", PICTURE)


def test_a_folder_with_photos_never_becomes_output(tmp_path: Path) -> None:
    images.write(tmp_path / "set" / "lot 1" / "a.png", PICTURE)
    with pytest.raises(InputError, match=r"set holds photos \(a.png and so on\) .*; give a folder of its own"):
        images.mark_output(tmp_path / "set")
    images.mark_output(tmp_path / "set" / "results")
    images.write(tmp_path / "set" / "results" / "a.png", PICTURE)
    images.mark_output(tmp_path / "set" / "results")  # again
    assert [photo.parent.name for photo in images.walk(tmp_path).photos] == ["lot 1"]


def test_names_of_pictures_keep_folders_as_far_as_they_differ(tmp_path: Path) -> None:
    photos = [tmp_path / name for name in ("a/1.jpg", "a/1.png", "a/1.bmp", "a/1.BMP", "b/1.jpg", "b/../c/1.jpg")]
    names = [name.as_posix() for name in images.picture_names(photos)]
    assert names == ["a/1.png", "a/1.png.png", "a/1.bmp.png", "a/1-2.png", "b/1.png", "c/1.png"]
    assert images.picture_names([tmp_path / "1.jpg"]) == [Path("1.png")]
    assert images.picture_names([]) == []
    assert images.picture_names([tmp_path / "parts/1.jpg", tmp_path / "1.jpg"]) == [Path("parts_/1.png"), Path("1.png")]


def test_names_of_pictures_stay_in_their_folder_and_are_fit_for_every_system(tmp_path: Path) -> None:
    odd = ["a\nb", "\udcff", "a:b?", ".", "..", " ", "\x1b[2J", "x" * 251, "é" * 125]
    photos = [tmp_path / folder / f"{name}.jpg" for name in odd for folder in ("one", "one/../two", "Two")]
    names = images.picture_names(photos)
    assert len({str(name).casefold() for name in names}) == len(photos)
    for name in names:
        assert not name.is_absolute() and ".." not in name.parts and name.suffix == ".png"
        assert str(name).isprintable() and set(str(name)).isdisjoint('<>:"\\|?*')
        assert max(len(part.encode()) for part in name.parts) <= 255
    images.mark_output(tmp_path / "results")
    for name in names:
        images.write(tmp_path / "results" / name, PICTURE)


def test_photos_on_two_drives_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_windows(paths: list[str]) -> str:
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr(os.path, "commonpath", of_windows)
    assert images.picture_names([Path("/c/a.jpg"), Path("/d/a.jpg")]) == [Path("c/a.png"), Path("d/a.png")]
