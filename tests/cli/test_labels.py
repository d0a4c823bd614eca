"""The options that say which photos are OK, from the command line to what is trained, calibrated and evaluated."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images
from andon.models.header import read_header

SMALL = ("--image-size", 64)


@pytest.fixture(autouse=True)
def all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What a command says while it works goes through the log."""
    caplog.set_level(logging.INFO)


@pytest.fixture
def plates(tmp_path: Path) -> Path:
    """12 sound plates in green/, 3 rusty ones in red/, and 2 in unsorted/."""
    root = tmp_path / "plates"
    plate_photos.write_parts(root / "green", range(12))
    plate_photos.write_parts(root / "unsorted", range(50, 52))
    for seed in range(300, 303):
        images.write(root / "red" / f"{seed}.png", plate_photos.rusty(seed)[0])
    return root


@pytest.mark.slow
def test_names_of_ones_own_reach_every_command(
    andon_: Command, plates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "say which are OK and NG with --ok-name and --ng-name" in andon_("data", "verify", plates).err
    names = ("--ok-name", "green", "--ng-name", "red")
    assert "Layout folder: 12 OK to learn from, 3 NG to test" in andon_("data", "verify", plates, *names).out
    model = tmp_path / "m.safetensors"
    trained = andon_("train", plates, "-o", model, *SMALL, *names)
    assert trained.code == 0
    assert "2 pictures are left out, as nothing says what to do with them (2 in unsorted)" in caplog.text
    assert "2 OK photos are set aside for testing, as the set has no test split." in caplog.text
    assert len(read_header(model).manifest.trained.names) == 10
    evaluated = andon_("evaluate", model, plates, *names, "--json")
    figures = json.loads(evaluated.out)
    assert (figures["n_ok"], figures["n_ng"]) == (2, 3)  # those that were set aside, so that there are both
    assert "10 photos are not evaluated, as the model learned from them." in caplog.text


def test_folders_are_given_as_ok_and_ng(
    andon_: Command, plates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folders = ("--ok", plates / "green", "--ok", plates / "unsorted", "--ng", plates / "red")
    assert "Layout folders: 14 OK to learn from, 3 NG to test" in andon_("data", "verify", *folders).out
    trained = andon_("train", *folders, "-o", tmp_path / "m.safetensors", *SMALL)
    assert trained.code == 0 and caplog.messages[0] == "Layout folders: 14 OK to learn from, 3 NG to test"
    assert read_header(tmp_path / "m.safetensors").manifest.trained.names[0].startswith("green/")
    for words, what in (
        ((plates, *folders), "give one or the other"),
        ((*folders, "--ng-name", "x"), "leave --layout, --ok-name"),
        ((), "No photos are given; give the folder that holds them, or folders with --ok and --ng."),
    ):
        ran = andon_("data", "verify", *words)
        assert ran.code == 2 and what in ran.err


def test_labels_are_read_or_ignored(andon_: Command, plates: Path) -> None:
    table = plates / "green" / "labels.csv"
    table.write_text("".join(f"{seed:03d}.png,{0.9 if seed == 3 else 0.1}\n" for seed in range(12)))
    assert "--ng-from 0.5" in andon_("data", "verify", plates / "green").err
    found = andon_("data", "verify", plates / "green", "--ng-from", 0.5)
    assert "Layout table: 11 OK to learn from, 1 NG to test" in found.out
    assert "labels.csv: what is below 0.5 is read as OK, the rest as NG." in found.out
    assert "Layout folder: 12 OK to learn from" in andon_("data", "verify", plates / "green", "--ignore-labels").out


@pytest.mark.slow
def test_a_recipe_names_what_is_ng_in_the_sets_it_is_for(
    andon_: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos = plate_photos.write_parts(tmp_path / "data", range(10))
    rows = [f"{photo.name},{int(number == 9)},{int(number < 9)}" for number, photo in enumerate(photos)]
    (tmp_path / "data/_classes.csv").write_text("\n".join(["filename,Pitted-Plate,Plate", *rows]))
    recipe = tmp_path / "plates.toml"
    recipe.write_text('[data]\nng_names = ["Pitted"]\n[steps.resize]\nimage_size = 64\n')
    model = tmp_path / "m.safetensors"
    trained = andon_("train", tmp_path / "data", "-o", model, "--recipe", recipe)
    assert trained.code == 0 and caplog.messages[0] == "Layout roboflow: 9 OK to learn from, 1 NG to test"
    figures = json.loads(andon_("evaluate", model, tmp_path / "data", "--json").out)  # the model knows its recipe
    assert (figures["n_ok"], figures["n_ng"]) == (2, 1)


def test_calibrating_takes_the_ok_photos_of_a_folder_that_holds_others(
    andon_: Command, model: Path, tmp_path: Path
) -> None:
    root = tmp_path / "more"
    plate_photos.write_parts(root / "ok", range(400, 410))
    for seed in range(500, 503):
        images.write(root / "ng" / f"{seed}.png", plate_photos.rusty(seed)[0])
    alone, mixed = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    assert andon_("calibrate", model, root / "ok", "-o", alone).code == 0
    ran = andon_("calibrate", model, root, "-o", mixed)
    assert ran.code == 0 and f"10 OK photos of {root} are used; the 3 others in it are left out." in ran.err
    thresholds = [read_header(path).calibration for path in (alone, mixed)]
    assert thresholds[0] is not None and thresholds[1] is not None
    assert thresholds[0].threshold == thresholds[1].threshold
    refused = andon_("calibrate", model, root / "ng", "-o", tmp_path / "c.safetensors")
    assert refused.code == 2 and "says NG by its name" in refused.err
    shutil.rmtree(root / "ok")
    refused = andon_("calibrate", model, root, "-o", tmp_path / "c.safetensors")
    assert refused.code == 2 and "no OK photos in it can be used here" in refused.err
