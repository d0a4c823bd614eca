"""Which files are taken, when, and what becomes of them afterwards."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_sets

from andon import images
from andon.errors import ImageError, InputError
from andon.store import Store
from andon.watching import Watcher, afterwards

Make = Callable[..., Watcher]


def verdicts(watcher: Watcher, folder: Path) -> dict[str, str]:
    """Path within the folder -> verdict, of what one look finds new."""
    return {Path(row["path"]).relative_to(folder).as_posix(): row["verdict"] for row in watcher.look()}


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_must_have_rested(folder: Path, watcher: Make, clock: Any) -> None:
    small_sets.make(folder, "a.png")
    one = watcher(settle=1.0)
    assert verdicts(one, folder) == {}
    clock.now += 0.9
    os.utime(folder / "a.png", (1, 1))  # it is being written
    assert verdicts(one, folder) == {}
    clock.now += 0.9
    assert verdicts(one, folder) == {}
    clock.now += 0.2
    assert verdicts(one, folder) == {"a.png": "OK"}


def test_half_a_photo_waits_for_the_other_half(folder: Path, watcher: Make) -> None:
    small_sets.make(folder, "a.png")
    whole = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(whole[: len(whole) // 2])
    (folder / "b.png").write_bytes(b"")
    one = watcher(patience=60)
    assert verdicts(one, folder) == {} == verdicts(one, folder)
    (folder / "a.png").write_bytes(whole)
    assert verdicts(one, folder) == {"a.png": "OK"}


def test_what_is_no_photo_in_the_end_is_an_error_once(folder: Path, watcher: Make, store: Store, clock: Any) -> None:
    (folder / "a.png").write_bytes(b"no photo")
    (folder / "b.png").write_bytes(b"")
    (folder / "c.png").write_bytes(b"")
    one = watcher(patience=30)
    assert verdicts(one, folder) == {}
    clock.now += 29
    assert verdicts(one, folder) == {}
    clock.now += 2
    assert verdicts(one, folder) == {"a.png": "error", "b.png": "error", "c.png": "error"}
    assert verdicts(one, folder) == {} == verdicts(watcher(), folder)
    reasons = [one.row["error"] for one in store.inspections.each()]
    assert "is empty" in reasons[1] and len(reasons) == 3


def test_a_file_that_cannot_be_opened_waits(
    folder: Path, watcher: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: Path) -> bytes:
        raise ImageError(f"{path} cannot be opened (Input/output error); check the path and its permissions.")

    small_sets.make(folder, "a.png")
    one = watcher()
    with monkeypatch.context() as patch:
        patch.setattr(images, "read_bytes", refuse)
        assert verdicts(one, folder) == {}
    assert "It is tried again later." in caplog.text
    assert verdicts(one, folder) == {"a.png": "OK"}


def test_which_files_are_wanted(folder: Path, watcher: Make) -> None:
    small_sets.make(folder, "cam1_a.png", "cam2_a.png", "below/cam1_b.png", ".hidden.png", "cam1_c.jpg")
    (folder / "cam1.txt").write_text("no photo")
    assert verdicts(watcher(pattern="cam1_*.png"), folder) == {"cam1_a.png": "OK"}
    assert verdicts(watcher(pattern="cam1_*", recursive=True), folder) == {"below/cam1_b.png": "OK", "cam1_c.jpg": "OK"}


def test_photos_are_moved_and_none_is_overwritten(folder: Path, watcher: Make) -> None:
    small_sets.make(folder, "a.png", "below/b.png", "done/a.png")
    before = (folder / "done" / "a.png").write_bytes(b"somebody's own")
    one = watcher(f"move:{folder / 'done'}", recursive=True)
    assert verdicts(one, folder) == {"a.png": "OK", "below/b.png": "OK"}
    assert files(folder) == ["done/a.2.png", "done/a.png", "done/below/b.png"]
    assert len((folder / "done" / "a.png").read_bytes()) == before
    assert verdicts(one, folder) == {}


def test_what_a_killed_process_did_not_move_is_moved_by_the_next(folder: Path, watcher: Make, tmp_path: Path) -> None:
    small_sets.make(folder, "a.png")
    assert verdicts(watcher(), folder) == {"a.png": "OK"}
    assert verdicts(watcher(f"move:{tmp_path / 'done'}"), folder) == {}
    assert files(folder) == [] and files(tmp_path / "done") == ["a.png"]


def test_a_folder_that_cannot_be_moved_to_is_tried_again(
    folder: Path, watcher: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small_sets.make(folder, "a.png")
    (tmp_path / "done").write_text("a file where the folder should be")
    one = watcher(f"move:{tmp_path / 'done'}")
    assert verdicts(one, folder) == {"a.png": "OK"}
    assert "cannot be moved or tagged" in caplog.text
    (tmp_path / "done").unlink()
    assert verdicts(one, folder) == {}
    assert files(tmp_path / "done") == ["a.png"]


def test_the_row_is_written_beside_the_photo(folder: Path, watcher: Make, store: Store) -> None:
    small_sets.make(folder, "a.png")
    assert verdicts(watcher("tag"), folder) == {"a.png": "OK"}
    tag = folder / "a.png.andon.json"
    (stored,) = store.inspections.each()
    assert json.loads(tag.read_text()) == stored.row
    tag.unlink()
    assert verdicts(watcher("tag"), folder) == {}
    assert json.loads(tag.read_text()) == stored.row


@pytest.mark.parametrize("text", ["", "delete", "move", "move:", "tag:x", "move:{folder}"])
def test_what_cannot_be_done_is_refused(text: str, folder: Path) -> None:
    with pytest.raises(InputError):
        afterwards(text.format(folder=folder), folder)


def test_a_watcher_in_a_thread_stops(folder: Path, watcher: Make, store: Store) -> None:
    small_sets.make(folder, "a.png")
    one = watcher()
    one.start()
    deadline = time.monotonic() + 10
    while not store.inspections.counts() and time.monotonic() < deadline:
        time.sleep(0.01)
    one.stop()
    assert one.join(10) and one.error is None
    assert store.inspections.counts() == {"OK": 1}
