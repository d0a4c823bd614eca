"""andon inspect: one row per photo, in order, whatever happens to one of them."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images
from andon.files import locked
from andon.models.save import save
from andon.reports.row_files import RowFile
from andon.rows import COLUMNS, CSV_COLUMNS
from andon.teaching.train import train
from andon.types import Failure


@pytest.fixture
def photos(data: Path, tmp_path: Path) -> Path:
    """a ok, b rusty, c ok, and a folder with d rusty."""
    folder = tmp_path / "neue Prüflinge"
    for name, source in {"a": "good/200", "b": "rust/300", "c": "good/201", "inner/d": "rust/301"}.items():
        target = folder / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / "test" / f"{source}.png", target)
    return folder


def test_a_folder_is_inspected_with_all_folders_in_it(andon_: Command, model: Path, photos: Path) -> None:
    ran = andon_("inspect", model, photos)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines][1::2] == ["NG", "NG"]
    assert [line.rpartition("/")[2] for line in lines] == ["a.png", "b.png", "c.png", "d.png"]
    assert "4 photos: " in ran.err
    assert "2 NG" in ran.err


def test_files_and_globs_keep_the_order_in_which_they_are_named(andon_: Command, model: Path, photos: Path) -> None:
    ran = andon_("inspect", model, photos / "c.png", f"{photos}/*/?.png", photos / "a.png", photos / "c.png", "--json")
    assert [Path(json.loads(line)["path"]).name for line in ran.out.splitlines()] == ["c.png", "d.png", "a.png"]


def test_json_lines_have_the_columns_of_every_row(andon_: Command, model: Path, photos: Path) -> None:
    rows = [json.loads(line) for line in andon_("inspect", model, photos, "--json").out.splitlines()]
    assert [tuple(row) for row in rows] == [COLUMNS] * 4
    rusty = rows[1]
    assert rusty["verdict"] == "NG" and rusty["score"] >= rusty["threshold"]
    assert rusty["path"] == str(photos / "b.png")  # umlauts are written as themselves
    region = rusty["regions"][0]
    assert 0 <= region["x0"] <= plate_photos.SPOT_AT[0] < region["x1"] <= plate_photos.SIZE[1]
    assert 0 <= region["y0"] <= plate_photos.SPOT_AT[1] < region["y1"] <= plate_photos.SIZE[0]
    assert 0 < region["area_px"] <= (region["x1"] - region["x0"]) * (region["y1"] - region["y0"])
    assert region["mean"] <= region["peak"] and region["looks_like"] is None


def test_csv_has_a_header_and_the_same_values(andon_: Command, model: Path, photos: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(andon_("inspect", model, photos, "--csv").out)))
    plain = [json.loads(line) for line in andon_("inspect", model, photos, "--json").out.splitlines()]
    assert tuple(rows[0]) == CSV_COLUMNS
    for row, expected in zip(rows, plain, strict=True):
        assert float(row["score"]) == expected["score"]
        assert json.loads(row["regions"]) == expected["regions"]


def test_the_exit_code_tells_of_ng_only_where_it_was_asked_for(andon_: Command, model: Path, photos: Path) -> None:
    assert andon_("inspect", model, photos).code == 0
    assert andon_("inspect", model, photos, "--fail-on-ng").code == 1
    assert andon_("inspect", model, model.parent.parent / "gone.png", photos, "--fail-on-ng").code == 2


def test_one_bad_photo_is_one_error_row_and_the_others_are_inspected(
    andon_: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "b2.jpg").write_text("no photo, really")
    ran = andon_("inspect", model, photos, "--json", "--out", tmp_path / "out")
    assert ran.code == 2
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["verdict"] == "error" for row in rows] == [False, False, True, False, False]
    assert "b2.jpg is not a photo" in rows[2]["error"] and rows[2]["score"] is None
    assert "Error: " in ran.err and "1 error" in ran.err and "Traceback" not in ran.err
    with (tmp_path / "out" / "inspections.csv").open(encoding="utf-8", newline="") as file:
        in_csv = list(csv.DictReader(file))
    assert [row["path"] for row in in_csv] == [row["path"] for row in rows]
    assert in_csv[2]["error"] == rows[2]["error"]
    assert (in_csv[2]["score"], in_csv[2]["regions"]) == ("", "[]")
    written = (tmp_path / "out" / "inspections.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["path"] for line in written] == [row["path"] for row in rows]


def test_a_picture_of_every_photo_is_written_where_it_was_asked_for(
    andon_: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "b2.jpg").write_text("no photo, really")
    ran = andon_("inspect", model, photos, "--out", tmp_path / "out", "--visualize")
    assert ran.code == 2
    pictures = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert pictures == ["a.png", "b.png", "c.png", "inner/d.png"]
    assert f"Rows and pictures: {tmp_path / 'out'}\n" in ran.err
    assert images.read(tmp_path / "out" / "b.png").shape[1] > plate_photos.SIZE[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--json", "--csv"), "--json and --csv exclude each other; choose one."),
        (("--visualize",), "--visualize needs a folder for the pictures; give --out DIR."),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: tuple[str, ...], sentence: str, andon_: Command, model: Path, photos: Path
) -> None:
    ran = andon_("inspect", model, photos, *words)
    assert (ran.code, ran.err) == (2, f"Error: {sentence}\n")


def test_a_glob_without_photos_and_a_folder_without_photos_are_refused(
    andon_: Command, model: Path, tmp_path: Path
) -> None:
    glob, folder = andon_("inspect", model, f"{tmp_path}/*.png"), andon_("inspect", model, tmp_path)
    assert glob.code == folder.code == 2
    assert "matches no photo; check the pattern." in glob.err
    assert "holds no photos; give a folder with" in folder.err


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_row_is_on_disk_as_soon_as_it_is_written(name: str, tmp_path: Path) -> None:
    with RowFile(tmp_path / name) as file:
        file.write(Failure("a.png", "It is damaged.").to_row())
        lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
        assert "a.png" in lines[-1] and "It is damaged." in lines[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_name_that_is_no_utf_8_is_written_escaped(
    andon_: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Pr\xfcfling"))  # as Latin-1 writes it
    shutil.copytree(photos, folder)
    ran = andon_("inspect", model, folder, "--json", "--out", tmp_path / "out", "--visualize")
    assert (ran.code, len(ran.out.splitlines())) == (0, 4)
    written = (tmp_path / "out" / "inspections.jsonl").read_text(encoding="utf-8")
    for line in (ran.out + written).splitlines():
        assert json.loads(line)["path"].startswith(str(folder))


@pytest.mark.slow
def test_interrupted_it_leaves_every_finished_row_on_disk(exported: Path, data: Path, tmp_path: Path) -> None:
    photo, folder, out = data / "test" / "good" / "200.png", tmp_path / "many", tmp_path / "out"
    folder.mkdir()
    for number in range(8_000):
        os.link(photo, folder / f"{number:05d}.png")
    words = [sys.executable, "-m", "andon", "inspect", str(exported), str(folder), "--json", "--out", str(out)]
    with (tmp_path / "stdout").open("wb") as stdout, (tmp_path / "stderr").open("wb") as stderr:
        running = subprocess.Popen(words, stdout=stdout, stderr=stderr)
        try:
            deadline = time.monotonic() + 60
            jsonl = out / "inspections.jsonl"
            while time.monotonic() < deadline and not (jsonl.exists() and jsonl.stat().st_size > 20_000):
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            code = running.wait(timeout=30)
        finally:
            running.kill()
    assert code == 130
    assert (tmp_path / "stderr").read_text().endswith("Interrupted; what was finished is kept.\n")
    rows = [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()]
    assert 20 < len(rows) < 8_000
    assert [Path(row["path"]).name for row in rows] == [f"{number:05d}.png" for number in range(len(rows))]
    shown = (tmp_path / "stdout").read_text(encoding="utf-8").splitlines()
    with (out / "inspections.csv").open(encoding="utf-8", newline="") as file:
        in_csv = list(csv.DictReader(file))
    for others in (shown, in_csv):
        assert abs(len(others) - len(rows)) <= 1


def test_a_part_that_a_step_isolated_is_shown_beside_its_boxes(andon_: Command, data: Path, tmp_path: Path) -> None:
    isolating = train(data, settings=[*plate_photos.FAST, "steps.otsu_roi.parts=largest"])
    save(isolating, tmp_path / "m.safetensors")
    photo = data / "test/good/200.png"
    ran = andon_("inspect", tmp_path / "m.safetensors", photo, "--out", tmp_path / "out", "--visualize")
    assert (ran.code, (tmp_path / "out/200.png").is_file()) == (0, True)
    height, width = images.read(tmp_path / "out/parts/200.png").shape[:2]
    assert height > 300 and width > 1100  # two pictures of a part that is 1.6 times as wide as high


def test_two_runs_do_not_write_into_one_folder(andon_: Command, model: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with locked(out):
        refused = andon_("inspect", model, photos, "--out", out)
    assert refused.code == 2 and f"Another run is writing into {out}; wait" in refused.err
    assert andon_("inspect", model, photos, "--out", out).code == 0
    assert len((out / "inspections.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def test_a_run_that_comes_to_nothing_leaves_the_rows_of_the_last(
    andon_: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert andon_("inspect", model, photos, "--out", out).code == 0
    before = {path.name: path.read_bytes() for path in out.glob("inspections.*")}
    assert andon_("inspect", tmp_path / "gone.safetensors", photos, "--out", out).code == 2
    assert andon_("inspect", model, photos, "--out", out, "--explain", "--part-id-from", "(").code == 2
    assert {path.name: path.read_bytes() for path in out.glob("inspections.*")} == before


def test_names_of_files_command_neither_terminal_nor_spreadsheet(
    andon_: Command, model: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in ("=1+1.png", "a\nb.png", "\x1b]0;title\x07.png"):
        shutil.copy(photos / "a.png", folder / name)
    (folder / "\x1b[31m.png").write_bytes(b"no photo")
    monkeypatch.chdir(folder)
    names = sorted(path.name for path in folder.iterdir())
    ran = andon_("inspect", model, *names, "--csv", "--excel", "--out", tmp_path / "out")
    assert "\x1b" not in ran.out + ran.err
    with (tmp_path / "out" / "inspections.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert (tmp_path / "out" / "inspections.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert {len(row) for row in rows} == {len(CSV_COLUMNS)} and len(rows) == 5
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
