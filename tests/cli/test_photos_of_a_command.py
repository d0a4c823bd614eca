"""What commands take for photos, say of the others, and never write over."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import plate_photos
import pytest
import typer
from conftest import Command
from PIL import Image

from andon import images
from andon.cli._dataset import NONE_GIVEN, DatasetOptions, takes_dataset


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    plate_photos.write_parts(tmp_path / "photos", range(700, 703))
    return tmp_path / "photos"


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_left_out_is_one_line(andon_: Command, model: Path, photos: Path) -> None:
    for name in ("a.pgm", "b.PGM", ".c.png", "Thumbs.db"):
        (photos / name).touch()
    ran = andon_("inspect", model, photos, "--json")
    assert ran.code == 0 and len(ran.out.splitlines()) == 3
    assert "4 files left out: 2 .pgm (not read), 1 hidden, 1 left by Windows\n" in ran.err


@pytest.mark.parametrize("command", ["inspect", "train", "evaluate", "explore", "compare"])
def test_no_command_writes_its_pictures_among_photos(command: str, andon_: Command, model: Path, photos: Path) -> None:
    before = content(photos)
    words = {
        "inspect": ("inspect", model, photos, "--visualize", "--out", photos),
        "train": ("train", photos, "--preprocess-only", photos),
        "evaluate": ("evaluate", model, photos, "--out", photos),
        "explore": ("explore", photos, "--out", photos),
        "compare": ("compare", photos, "--out", photos),
    }
    ran = andon_(*words[command])
    assert ran.code == 2 and "holds photos (" in ran.err and "give a folder of its own" in ran.err
    assert content(photos) == before


def test_pictures_within_the_photos_are_not_read_the_next_time(andon_: Command, model: Path, photos: Path) -> None:
    for _ in range(2):
        ran = andon_("inspect", model, photos, "--json", "--visualize", "--out", photos / "results")
        assert ran.code == 0 and len(ran.out.splitlines()) == 3
        assert len(list((photos / "results").glob("*.png"))) == 3
    assert f"1 folder left out: {photos}/results, written by Andon" in ran.err


def test_photos_above_the_working_folder_leave_their_pictures_in_out(
    andon_: Command, model: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "own").mkdir(parents=True)
    os.link(photos / "700.png", tmp_path / "here" / "own" / "700.png")
    before = content(photos)
    monkeypatch.chdir(tmp_path / "here")
    assert andon_("inspect", model, "own", "../photos", "--visualize", "--out", "../out").code == 0
    assert content(photos) == before
    pictures = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")}
    assert pictures == {"here/own/700.png", "photos/700.png", "photos/701.png", "photos/702.png"}


def test_what_is_no_file_is_a_row_and_what_is_odd_a_note(andon_: Command, model: Path, photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    pages = [Image.open(photos / f"{number}.png") for number in (700, 701)]
    pages[0].save(photos / "two.jpg", "TIFF", save_all=True, append_images=pages[1:])
    ran = andon_("inspect", model, photos / "*.*", "--json")
    assert ran.code == 2
    rows = {Path(row["path"]).name: row for row in map(json.loads, ran.out.splitlines())}
    assert len(rows) == 5
    assert "is a named pipe, not a file" in rows["pipe.png"]["error"]
    assert rows["two.jpg"]["notes"] == [
        "a TIFF file, although its name ends in .jpg",
        "the first of several pictures in its file; the others are not inspected",
    ]
    assert rows["two.jpg"]["score"] == rows["700.png"]["score"]
    assert images.is_output(photos) is False


def test_the_words_for_a_data_set_are_read_as_the_same_again() -> None:
    """They stand in commands that Andon proposes."""
    which = DatasetOptions(
        layout="table",
        ok_name=["gut", "i. O."],
        ng_name=["n"],
        ok=[Path("a b")],
        ng=[Path("c")],
        ng_from=0.0,
        ignore_labels=True,
    )
    read: list[tuple[Path, DatasetOptions]] = []
    app = typer.Typer()

    @app.command()
    @takes_dataset
    def command(data: Path, which: DatasetOptions = NONE_GIVEN) -> None:
        read.append((data, which))

    app(shlex.split(which.as_words(Path("my photos"))), standalone_mode=False)
    assert read == [(Path("my photos"), which)]
