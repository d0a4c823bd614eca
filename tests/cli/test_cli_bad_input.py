"""Whatever is given, the answer is one sentence and exit code 2, never a traceback."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plate_photos
import pytest
from conftest import Command, Ran
from PIL import Image

from andon import images

PIXELS = np.asarray(plate_photos.part(1))


def refused(ran: Ran, *parts: str) -> None:
    """Exit code 2, nothing on standard output, and one line on standard error that holds `parts`."""
    assert ran.code == 2, ran
    assert ran.out == ""
    (line,) = [line for line in ran.err.splitlines() if line.startswith("Error: ")]
    assert line.endswith((".", "?")) or ": andon " in line  # a sentence, or one that ends in the command to run
    assert "Traceback" not in ran.err
    for part in parts:
        assert part in line


def usage_error(ran: Ran, *parts: str) -> None:
    """Exit code 2 and the usage of the command."""
    assert ran.code == 2 and "Traceback" not in ran.err
    for part in parts:
        assert part in " ".join(ran.err.replace("│", " ").split())


# --- folders -------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there(andon_: Command, tmp_path: Path) -> None:
    refused(andon_("train", tmp_path / "gone"), "is not a folder; give the folder that holds the photos")


def test_an_empty_folder(andon_: Command, model: Path, tmp_path: Path) -> None:
    refused(andon_("train", tmp_path), "holds no photos; copy at least two photos of OK parts into it")
    refused(andon_("inspect", model, tmp_path), "holds no photos; give a folder with .jpg")
    refused(andon_("evaluate", model, tmp_path), "holds no photos")
    refused(andon_("calibrate", model, tmp_path), "holds no photos")


def test_a_folder_with_one_photo(andon_: Command, tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path, range(1))
    refused(andon_("train", tmp_path), "holds only one photo; expected several")


def test_a_folder_of_photos_of_which_one_can_be_read(andon_: Command, tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path, range(1))
    (tmp_path / "text.jpg").write_text("no photo")
    refused(andon_("train", tmp_path), "There is only one OK photo to learn from")


def test_a_folder_of_the_same_photo_again_and_again(andon_: Command, tmp_path: Path) -> None:
    for number in range(4):
        images.write(tmp_path / f"{number}.png", plate_photos.part(1))
    refused(andon_("train", tmp_path), "show the same picture; at least 2 different ones are needed")


# --- photos --------------------------------------------------------------------------------------------------------

Writer = Callable[[Path], object]

NO_PHOTOS: dict[str, tuple[Writer, str]] = {
    "text.jpg": (
        lambda path: path.write_text("No photo."),
        "is not a photo that Andon can read; expected .jpg",
    ),
    "cut.jpg": (lambda path: cut(path, 0.5), "is damaged or cut short"),
    "cut.png": (lambda path: cut(path, 0.7), "is damaged or cut short"),
    "zero.png": (lambda path: path.touch(), "is empty (0 bytes); copy the photo again"),
    "dot.png": (lambda path: Image.new("RGB", (1, 1)).save(path), "is 1 x 1 pixels; at least 16 x 16 are needed"),
    "gone.png": (lambda path: None, "cannot be opened (No such file or directory)"),
    "folder.png/": (lambda path: path.mkdir(), "holds no photos"),
    "notes.txt": (lambda path: path.write_text("notes"), "is not a photo that Andon can read"),
}


def cut(path: Path, share: float) -> None:
    Image.fromarray(PIXELS).save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


@pytest.mark.parametrize("name", NO_PHOTOS)
def test_what_is_no_photo(name: str, andon_: Command, model: Path, tmp_path: Path) -> None:
    write, sentence = NO_PHOTOS[name]
    path = tmp_path / name
    write(path)
    ran = andon_("inspect", model, path, "--json")
    assert ran.code == 2 and sentence in ran.err and "Traceback" not in ran.err
    if not name.endswith("/"):
        (row,) = [json.loads(line) for line in ran.out.splitlines()]
        assert row["verdict"] == "error" and row["error"].startswith(f"{path} ")


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # shown turned clockwise by a quarter
    Image.fromarray(np.rot90(PIXELS)).save(path, exif=exif)


UNUSUAL_PHOTOS: dict[str, Writer] = {
    "16 bit.png": lambda path: Image.fromarray(PIXELS[:, :, 0].astype(np.uint16) * 257).save(path),
    "grey.png": lambda path: Image.fromarray(PIXELS[:, :, 0]).save(path),
    "alpha.png": lambda path: Image.fromarray(np.dstack([PIXELS, np.full(plate_photos.SIZE, 255, np.uint8)])).save(
        path
    ),
    "turned.png": turned,
    "Größe ä ß 漢.png": lambda path: Image.fromarray(PIXELS).save(path),
}


@pytest.mark.parametrize("name", UNUSUAL_PHOTOS)
def test_an_unusual_photo_gets_the_score_of_the_plain_one(
    name: str, andon_: Command, model: Path, tmp_path: Path
) -> None:
    UNUSUAL_PHOTOS[name](tmp_path / name)
    images.write(tmp_path / "plain.png", plate_photos.part(1))
    ran = andon_("inspect", model, tmp_path / name, tmp_path / "plain.png", "--json")
    assert ran.code == 0
    unusual, plain = (json.loads(line) for line in ran.out.splitlines())
    assert unusual["path"] == str(tmp_path / name)
    assert unusual["score"] == pytest.approx(plain["score"], rel=1e-4)


def test_a_cmyk_photo_is_inspected(andon_: Command, model: Path, tmp_path: Path) -> None:
    Image.fromarray(PIXELS).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    assert andon_("inspect", model, tmp_path / "cmyk.jpg").code == 0


@pytest.mark.endurance
def test_a_photo_of_108_megapixels_is_inspected_in_bounded_time_and_memory(model: Path, tmp_path: Path) -> None:
    photo = tmp_path / "large.jpg"
    Image.fromarray(PIXELS).resize((12000, 9000)).save(photo, quality=80)
    code = (
        "import resource, sys; from andon.cli import main\n"
        "assert main() == 2\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    started = time.monotonic()
    words = [sys.executable, "-c", code, "inspect", str(model), str(photo), "--json"]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    row, kilobytes = ran.stdout.splitlines()
    assert (json.loads(row)["error"], json.loads(row)["verdict"]) == ("", "invalid")  # as it is blurred
    assert int(kilobytes) < 3_000_000
    assert time.monotonic() - started < 60


def test_a_photo_beyond_the_limit(andon_: Command, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "huge.bmp"
    Image.new("RGB", (16, 16)).save(path)
    header = bytearray(path.read_bytes())
    header[18:26] = (20_000).to_bytes(4, "little") + (20_000).to_bytes(4, "little")
    path.write_bytes(header)
    ran = andon_("inspect", model, path)
    assert ran.code == 2
    assert "megapixels, which is the limit: reduce the photo." in ran.err


@pytest.mark.slow
def test_a_photo_that_disappears_during_a_batch(exported: Path, tmp_path: Path) -> None:
    photos = plate_photos.write_parts(tmp_path / "many", range(1))
    for number in range(1, 100):
        os.link(photos[0], photos[0].with_name(f"{number:03d}.png"))
    last = photos[0].with_name("099.png")
    words = [sys.executable, "-m", "andon", "inspect", str(exported), str(tmp_path / "many"), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stderr is not None
        first = running.stdout.readline()
        last.unlink()  # long before its turn
        rows = [json.loads(line) for line in (first, *running.stdout)]
        errors = running.stderr.read()
    assert running.returncode == 2
    assert [row["path"] for row in rows if row["verdict"] == "error"] == [str(last)]
    assert len(rows) == 100
    assert "No such file or directory" in errors and "Traceback" not in errors


# --- models --------------------------------------------------------------------------------------------------------


def newer(model: Path, path: Path) -> None:
    data = model.read_bytes()
    assert data.count(b'\\"format\\": 3,') == 1
    path.write_bytes(data.replace(b'\\"format\\": 3,', b'\\"format\\": 9,'))


BAD_MODELS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "gone.safetensors": (lambda model, path: None, "There is no model file"),
    "cut.safetensors": (
        lambda model, path: path.write_bytes(model.read_bytes()[:-200]),
        "damaged, cut short or not a model",
    ),
    "stub.safetensors": (
        lambda model, path: path.write_bytes(model.read_bytes()[:5]),
        "damaged, cut short or not a model",
    ),
    "newer.safetensors": (newer, "has model format 9, but this Andon reads 2 and 3; update Andon"),
    "old.pkl": (lambda model, path: path.write_bytes(pickle.dumps([1])), "is a pickle"),
    "text.safetensors": (lambda model, path: path.write_text("no model"), "damaged, cut short or not a model"),
    "a folder": (lambda model, path: path.mkdir(), "a folder is a folder; give a model file made by: andon train"),
}


@pytest.mark.parametrize("command", ["inspect", "evaluate", "calibrate", "info"])
@pytest.mark.parametrize("name", BAD_MODELS)
def test_what_is_no_model(name: str, command: str, andon_: Command, model: Path, data: Path, tmp_path: Path) -> None:
    make, sentence = BAD_MODELS[name]
    make(model, tmp_path / name)
    more = () if command == "info" else (data,)
    output = ("-o", tmp_path / "other.safetensors") if command == "calibrate" else ()
    refused(andon_(command, tmp_path / name, *more, *output), str(tmp_path / name), sentence)


# --- places to write -----------------------------------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    under = tmp_path / "file" / "inner"
    refused(andon_("train", data, "-o", under / "m.safetensors"), "cannot be written", "choose a place with -o")
    refused(andon_("train", data, "-o", tmp_path), "cannot be written (it is a folder)")
    refused(andon_("train", data, "-o", tmp_path / "m.pkl"), "let its name end in .safetensors")
    refused(andon_("calibrate", model, data / "validation", "-o", under / "m.safetensors"), "cannot be written")
    refused(andon_("inspect", model, data / "test", "--out", under), "cannot be written", "--out")


def test_sheets_that_cannot_be_written(andon_: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = andon_("train", data, "--image-size", 64, "--preprocess-only", tmp_path / "file" / "sheets")
    refused(ran, "cannot be written", "choose a folder that you may write to")


# --- words and numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--recipe", "fastner"), "There is no recipe 'fastner'; did you mean 'fastener'?"),
        (("--recipe", "gone.toml"), "There is no recipe file gone.toml; check the path"),
        (("--detector", "patchcor"), "There is no detector 'patchcor'; did you mean 'patchcore'?"),
        (("--backbone", "resnet18x"), "timm has no network 'resnet18x'; did you mean 'resnet18'?"),
        (("--backbone", "resnet10t", "--weights", "gone.pth"), "There is no weights file gone.pth"),
        (("--layout", "mvtek"), "There is no layout 'mvtek'; did you mean 'mvtec'?"),
        (("--set", "steps.rezise.image_size=64"), "There is no preprocessing step 'rezise'; did you mean 'resize'?"),
        (("--set", "detector.coreset_rato=1"), "no parameter 'coreset_rato'; did you mean 'coreset_ratio'?"),
        (("--set", "detectr.name=x"), "A recipe has no section 'detectr'; did you mean 'detector'?"),
        (("--set", "detector"), "'detector' is not a setting; write it as section.name=value."),
        (("--set", "detector=patchcore"), "detector is 'patchcore'; expected a section"),
        (("--set", "training.seed=often"), "training.seed is 'often'; expected a value of type int."),
        (("--set", "detector.coreset_ratio=nan"), "detector.coreset_ratio is nan; expected a finite number."),
        (("--set", "anomaly_map.sigma=-4"), "anomaly_map.sigma is -4; it must be from 0 to"),
        (("--coreset-ratio", "nan"), "detector.coreset_ratio is nan; expected a finite number."),
        (("--coreset-ratio", "-0.1"), "detector.coreset_ratio is -0.1; it must be above 0 and at most 1."),
        (("--target-dim", "-1"), "detector.target_dim is -1; it must be 0 (no projection) or more."),
        (("--batch-size", "0"), "training.batch_size is 0; it must be 1 or more."),
        (("--image-size", "8"), "resize.image_size is 8; use a multiple of 16 up to 8192, such as 384, or auto."),
        (("--image-size", "-256"), "resize.image_size is -256; use a multiple of 16 up to 8192, such as 384, or auto."),
        (("--seed", "-1"), "training.seed is -1; it must be 0 or more"),
        (("--false-reject-rate", "2"), "calibration.false_reject_rate is 2; it must be between 0 and 1."),
        (("--false-reject-rate", "inf"), "calibration.false_reject_rate is inf; expected a finite number."),
        (("--false-reject-rate", "0.01"), "6 calibration photos can promise a false-reject rate of 14.3 % at best"),
    ],
)
def test_a_word_or_number_that_does_not_fit(
    words: tuple[str, ...], sentence: str, andon_: Command, data: Path, tmp_path: Path
) -> None:
    refused(andon_("train", data, "-o", tmp_path / "m.safetensors", *words), sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--seed", "often"), "Invalid value for '--seed'"),
        (("--coreset-ratio", "ten"), "Invalid value for '--coreset-ratio'"),
        (("--recipee", "default"), "No such option: --recipee"),
    ],
)
def test_an_option_of_the_wrong_type_or_name(words: tuple[str, ...], part: str, andon_: Command, data: Path) -> None:
    usage_error(andon_("train", data, *words), part)


def test_a_backbone_that_cannot_be_fetched(
    andon_: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    ran = andon_("train", data, "-o", tmp_path / "m.safetensors", "--backbone", "resnet10t")
    refused(ran, "cannot be downloaded from the hub", "--weights FILE", "--backbone embedded")


def test_a_number_of_threads_that_makes_no_sense(andon_: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDON_THREADS", "all")
    refused(andon_("info", "m.safetensors"), "ANDON_THREADS is 'all'; it must be a whole number of threads, 1 or more.")


def test_an_empty_word_is_an_unset_variable_and_not_this_folder(andon_: Command, model: Path) -> None:
    ran = andon_("inspect", model, "")
    assert ran.code == 2 and "as when a shell variable is not set" in ran.err


@pytest.mark.parametrize("defect", ["../../../escaped", "a/b", "..", "good"])
def test_a_defect_of_a_new_data_set_names_a_folder_within_it(andon_: Command, defect: str, tmp_path: Path) -> None:
    ran = andon_("data", "new", tmp_path / "new", "--defect", defect)
    assert ran.code == 2 and "such as scratch" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_demo_is_not_drawn_among_other_files(andon_: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    ran = andon_("demo", tmp_path)
    assert ran.code == 2 and "is not empty and holds no demo" in ran.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", "| true"])
def test_a_closed_output_ends_it_without_a_traceback(closed: str, exported: Path, data: Path) -> None:
    command = f"set -o pipefail; '{sys.executable}' -m andon inspect '{exported}' '{data / 'test'}' --json {closed}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 2)
    assert "Traceback" not in ran.stderr
