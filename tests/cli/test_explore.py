"""andon explore: colours, samples and what colours alone can tell, of whatever photos there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import plate_photos
import pytest
from conftest import Command

from andon import images
from andon.types import RgbImage


def explored(andon_: Command, *words: object) -> dict[str, Any]:
    ran = andon_("explore", *words, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def write(folder: Path, photos: list[RgbImage]) -> None:
    for number, photo in enumerate(photos):
        images.write(folder / f"{number:03d}.png", photo)


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 photos called OK and 12 called NG, all of sound parts."""
    root = tmp_path_factory.mktemp("alike") / "Platten"
    write(root / "ok", [plate_photos.part(seed) for seed in range(20)])
    write(root / "ng", [plate_photos.part(seed) for seed in range(100, 112)])
    return root


def test_rust_is_told_by_its_colour_and_so_is_the_class(andon_: Command, data: Path) -> None:
    figures = explored(andon_, data)
    assert (figures["n_ok"], figures["n_ng"], figures["n_unlabelled"]) == (16, 2, 0)
    assert list(figures["classes"]) == ["OK", "rust"]
    ok, rust = figures["classes"]["OK"], figures["classes"]["rust"]
    assert figures["colour_auroc"] == rust["colour_auroc"] == 1.0
    assert figures["interval"][0] < 0.9 and ok["colour_auroc"] is None
    assert ok["mean_lab"][1:] == pytest.approx([0, 0], abs=0.5)  # the parts are grey
    assert rust["mean_lab"][1] > 0.4 and rust["mean_lab"][2] > 0.8  # orange is red and yellow
    expected = np.mean([plate_photos.part(seed).mean() for seed in range(8)])
    assert ok["mean_lab"][0] == pytest.approx(100 * expected / 255, abs=4)


def test_classes_that_do_not_differ_are_not_told_apart(andon_: Command, two_classes: Path) -> None:
    # An OK photo that was measured by a model that saw it would lie nearer than any other photo can.
    low, high = explored(andon_, two_classes)["interval"]
    assert low < 0.5 < high


def test_an_ok_photo_is_not_measured_by_a_model_that_saw_its_twin(andon_: Command, tmp_path: Path) -> None:
    photos = [plate_photos.part(seed) for seed in range(12)]
    write(tmp_path / "set" / "ok", photos + photos)
    write(tmp_path / "set" / "ng", [plate_photos.part(seed) for seed in range(100, 112)])
    low, high = explored(andon_, tmp_path / "set")["interval"]
    assert low < 0.5 < high


def test_an_ok_photo_unlike_the_others_is_named(andon_: Command, tmp_path: Path) -> None:
    photos = [plate_photos.part(seed) for seed in range(15)]
    photos[7] = plate_photos.rusty(7)[0]
    write(tmp_path / "ok", photos)
    unusual = [line for line in andon_("explore", tmp_path).out.splitlines() if line.startswith("Unlike the other")]
    assert unusual[0].startswith("Unlike the other OK photos: ok/007.png (")


def test_people_get_a_table_and_a_sentence(andon_: Command, data: Path) -> None:
    out = andon_("explore", data).out
    assert "class" in out and "AUROC of colours alone" in out
    (line,) = [line for line in out.splitlines() if line.startswith("rust")]
    assert line.split()[1] == "2" and "1.000  (95 % interval" in line
    assert "in 100 of 100 such pairs" in out


def test_a_folder_holds_the_page_the_plots_and_the_samples(andon_: Command, two_classes: Path, tmp_path: Path) -> None:
    out = tmp_path / "Erster Blick"
    ran = andon_("explore", two_classes, "--out", out)
    assert ran.code == 0 and f"Report: {out / 'exploration.html'}" in ran.out
    page = (out / "exploration.html").read_text(encoding="utf-8")
    assert "Platten" in page and "in such pairs" not in page
    assert "http" not in page.replace("http://www.w3.org", "")  # nothing is fetched
    assert page.count("data:image/svg") == 2
    assert {path.name for path in out.rglob("*.png")} >= {"colours.png", "distances.png", "00_OK.png", "01_ng.png"}
    assert images.read(out / "samples" / "00_OK.png").shape[1] > 1000  # six columns
    assert json.loads((out / "figures.json").read_text(encoding="utf-8"))["n_ok"] == 20


def test_of_ok_photos_alone_it_says_what_it_cannot_say(andon_: Command, tmp_path: Path) -> None:
    write(tmp_path / "photos", [plate_photos.part(seed) for seed in range(12)])
    assert "cannot be said: no photo is known as NG." in andon_("explore", tmp_path / "photos").out


def test_few_ok_photos_are_too_few(andon_: Command, tmp_path: Path) -> None:
    write(tmp_path / "ok", [plate_photos.part(seed) for seed in range(4)])
    write(tmp_path / "ng", [plate_photos.rusty(seed)[0] for seed in range(2)])
    ran = andon_("explore", tmp_path)
    assert ran.code == 0
    assert "there are 4 OK photos, and 10 are needed" in ran.out


def test_unlabelled_photos_are_shown_and_count_for_nothing(andon_: Command, tmp_path: Path) -> None:
    write(tmp_path / "train", [plate_photos.part(seed) for seed in range(6)])
    rows = [f"{number:03d}.png,0,0" for number in range(6)]
    (tmp_path / "train" / "_classes.csv").write_text("\n".join(["filename,bad,good", *rows]))
    figures = explored(andon_, tmp_path, "--out", tmp_path / "out")
    assert (figures["n_ok"], figures["n_ng"], figures["n_unlabelled"]) == (0, 0, 6)
    assert figures["classes"]["unlabelled"]["n_photos"] == 6
    assert figures["colour_auroc"] is None
    page = (tmp_path / "out" / "exploration.html").read_text(encoding="utf-8")
    assert "6 photos are labelled neither OK nor NG" in page and "there are 0 OK photos" in page
    assert not (tmp_path / "out" / "distances.png").exists()


def test_photos_that_cannot_be_read_are_named_and_the_others_looked_at(andon_: Command, tmp_path: Path) -> None:
    write(tmp_path / "ok", [plate_photos.part(seed) for seed in range(3)])
    (tmp_path / "ok" / "broken.png").write_bytes(b"rubbish")
    ran = andon_("explore", tmp_path, "--json")
    assert ran.code == 2
    figures = json.loads(ran.out)
    assert figures["n_ok"] == 3
    assert list(figures["failures"]) == ["ok/broken.png"]
    assert "Could not be read: " in andon_("explore", tmp_path).out


def test_without_a_photo_that_can_be_read_there_is_nothing_to_say(andon_: Command, tmp_path: Path) -> None:
    (tmp_path / "ok").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "ok" / name).write_bytes(b"rubbish")
    ran = andon_("explore", tmp_path)
    assert ran.code == 2
    assert ran.err.strip().endswith("can be read; copy them again.") and "Traceback" not in ran.err


def test_an_output_folder_that_cannot_be_written_is_refused(andon_: Command, two_classes: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = andon_("explore", two_classes, "--out", tmp_path / "file" / "out")
    assert ran.code == 2
    assert "cannot be written" in ran.err
