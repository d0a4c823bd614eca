"""andon evaluate: the figures, the report folder, and what is no test set."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import plate_photos
import pytest
from conftest import Command

from andon import images

KEYS = (
    "image_auroc image_ap f1_max precision recall accuracy pixel_auroc aupro false_reject_rate escape_rate n_ok n_ng "
    "threshold"
)


def test_the_figures_are_those_of_the_test_photos(andon_: Command, model: Path, data: Path) -> None:
    ran = andon_("evaluate", model, data, "--json")
    assert ran.code == 0
    figures = json.loads(ran.out)
    assert set(KEYS.split()) <= set(figures)
    assert (figures["n_ok"], figures["n_ng"]) == (2, 2)
    assert figures["image_auroc"] == figures["recall"] == 1.0
    assert figures["escape_rate"] == 0.0
    assert figures["pixel_auroc"] > 0.9
    assert figures["failures"] == {}


@pytest.mark.usefixtures("undrawn")
def test_it_begins_with_the_answer_in_words(andon_: Command, model: Path, data: Path, tmp_path: Path) -> None:
    ran = andon_("evaluate", model, data, "--out", tmp_path / "out")
    lines = ran.out.splitlines()
    assert lines[0] == "None of 2 defective parts escapes as OK: 0.0 % (95 % interval 0.0 to 84.2 %)."
    assert lines[1] == "None of 2 good parts is rejected as NG: 0.0 % (95 % interval 0.0 to 84.2 %)."
    figures = json.loads((tmp_path / "out/figures.json").read_text(encoding="utf-8"))
    assert [plain(line) for line in figures["in_words"]] == lines[:2]
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert all(line in plain(page) for line in lines[:2])


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_folder_that_is_used_again_holds_no_pictures_of_the_earlier_run(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    photos = Path(shutil.copytree(data, tmp_path / "plates"))
    andon_("evaluate", model, photos, "--out", out)
    gone = min((photos / "test/good").iterdir())
    gone.unlink()
    assert andon_("evaluate", model, photos, "--out", out).code == 0
    names = {path.stem for path in (out / "pictures").rglob("*.png")}
    assert len(names) == 3 and gone.stem not in names
    page = (out / "report.html").read_text(encoding="utf-8")
    large = re.findall(r'href="(pictures/[^"]+)"', page)
    assert large and all((out / file).is_file() for file in large)


def test_the_figures_are_printed_for_people(andon_: Command, model: Path, data: Path) -> None:
    ran = andon_("evaluate", model, data)
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if line.startswith("Image AUROC")]
    assert line.split()[2] == "1.000" and line.endswith("0.5 is guessing, 1 is perfect")
    assert ran.out.isascii()


@pytest.mark.slow
def test_it_leaves_a_folder_with_report_figures_rows_and_pictures(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(data, tmp_path / "Platten 1"))
    (photos / "test" / "rust" / "broken.png").write_bytes(b"rubbish")
    out = tmp_path / "Auswertung"
    ran = andon_("evaluate", model, photos, "--out", out, "--json")
    assert ran.code == 2  # one photo could not be inspected
    figures = json.loads(ran.out)
    assert json.loads((out / "figures.json").read_text(encoding="utf-8")) == figures
    assert list(figures["failures"]) == [str(photos / "test" / "rust" / "broken.png")]
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "Platten 1" in report and "broken.png" in report
    assert len(list((out / "pictures").rglob("*.png"))) == 4
    assert len((out / "inspections.jsonl").read_text(encoding="utf-8").splitlines()) == 5


def test_without_ok_photos_a_figure_is_undefined_and_says_why(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(data, tmp_path / "plates"))
    shutil.rmtree(photos / "test" / "good")
    figures = json.loads(andon_("evaluate", model, photos, "--json").out)
    assert figures["image_auroc"] is None
    assert "no OK photo" in figures["undefined"]["image_auroc"]
    assert "undefined: " in andon_("evaluate", model, photos).out


def test_photos_that_the_model_has_seen_do_not_test_it(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data / "train" / "good", tmp_path / "set" / "ok")
    plate_photos.write_parts(tmp_path / "set" / "ok", range(600, 603))
    shutil.copytree(data / "test" / "rust", tmp_path / "set" / "ng")
    figures = json.loads(andon_("evaluate", model, tmp_path / "set", "--json").out)
    assert (figures["n_ok"], figures["n_ng"]) == (3, 2)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("size", "remark"),
    [
        ((192, 288), "its mask of 288 x 192 pixels was scaled to the photo's 144 x 96"),
        (
            (48, 144),
            "301_mask.png cannot be used and was left out: The mask is 144 x 48 pixels but",
        ),
        (None, "301_mask.png cannot be used and was left out:"),
    ],
)
def test_a_bad_mask_costs_at_most_the_pixel_figures_of_its_photo(
    size: tuple[int, int] | None,
    remark: str,
    andon_: Command,
    model: Path,
    data: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    photos = Path(shutil.copytree(data, tmp_path / "plates"))
    mask = photos / "ground_truth" / "rust" / "301_mask.png"
    mask.unlink()
    if size is None:
        mask.write_text("no mask")
    else:
        images.write(mask, np.pad(np.full((9, 9, 3), 255, np.uint8), ((0, size[0] - 9), (0, size[1] - 9), (0, 0))))
    ran = andon_("evaluate", model, photos, "--json", "--out", tmp_path / "out")
    assert ran.code == 0 and "301.png: its mask " in caplog.text and remark in caplog.text
    figures = json.loads(ran.out)
    assert figures["n_ng"] == 2 and figures["pixel_auroc"] is not None
    (row,) = [line for line in (tmp_path / "out/inspections.jsonl").read_text().splitlines() if "301.png" in line]
    assert remark in json.loads(row)["notes"][0]


def test_a_data_set_without_test_photos_is_refused(andon_: Command, model: Path, data: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(data, tmp_path / "plates"))
    shutil.rmtree(photos / "test")
    ran = andon_("evaluate", model, photos)
    assert ran.code == 2
    assert ran.err.strip().endswith(
        "No labelled photo was inspected; an evaluation needs test photos that are known as OK or NG."
    )


def test_an_output_folder_that_cannot_be_written_is_refused(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    ran = andon_("evaluate", model, data, "--out", tmp_path / "file" / "out")
    assert ran.code == 2
    assert "cannot be written" in ran.err
