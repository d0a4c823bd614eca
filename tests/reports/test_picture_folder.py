"""A folder of pictures that is used again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from andon import images
from andon.reports.picture_folder import WRITTEN, PictureFolder


def run(folder: Path, *names: str, grey: int = 90, finish: bool = True) -> None:
    pictures = PictureFolder(folder)
    for name in names:
        pictures.write(Path(name), np.full((8, 8, 3), grey, dtype=np.uint8))
    if finish:
        pictures.finish()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images.mark_output(tmp_path)
    return tmp_path / "pictures"


def pictures_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}


def test_pictures_of_an_earlier_run_are_gone_when_the_next_has_ended(folder: Path) -> None:
    run(folder, "good/a.png", "rust/b.png")
    run(folder, "good/a.png", "rust/c.png", grey=120)
    assert pictures_in(folder) == {"good/a.png", "rust/c.png"}


def test_a_run_that_was_cut_short_is_cleared_away_too(folder: Path) -> None:
    run(folder, "a.png", "b.png")
    run(folder, "b.png", "c.png", grey=120, finish=False)
    assert pictures_in(folder) == {"a.png", "b.png", "c.png"}
    run(folder, "d.png")
    assert pictures_in(folder) == {"d.png"}


def test_what_is_not_andons_or_was_changed_stays(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    run(folder, "a.png", "b.png")
    (folder / "mine.png").write_bytes(b"mine")
    (folder / "a.png").write_bytes(b"with my arrows on it")
    run(folder, "c.png")
    assert pictures_in(folder) == {"a.png", "mine.png", "c.png"}
    assert "a.png is of an earlier run, but was changed since" in caplog.text


def test_no_line_of_the_list_reaches_out_of_the_folder(folder: Path) -> None:
    outside = folder.parent / "outside.png"
    images.write(outside, np.zeros((8, 8, 3), dtype=np.uint8))
    run(folder, "a.png")
    with (folder / WRITTEN).open("a") as file:
        file.write(f"{images.sha256(outside.read_bytes())}  ../outside.png\n")
    run(folder, "b.png")
    assert outside.exists()
