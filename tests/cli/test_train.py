"""andon train: options become the recipe, and a model comes out."""

from __future__ import annotations

import shutil
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images
from andon.models.header import read_header
from andon.models.load import load

SMALL = ("--image-size", 64)


def test_it_writes_a_model_that_finds_the_defect(andon_: Command, data: Path, tmp_path: Path) -> None:
    model = tmp_path / "neue Modelle" / "Platte.safetensors"
    ran = andon_("train", data, "-o", model, *SMALL)
    assert ran.code == 0
    assert ran.out.startswith(f"Model: {model} (")
    assert load(model).inspect(data / "test" / "rust" / "300.png").verdict == "NG"


@pytest.mark.slow
def test_every_option_reaches_the_recipe(andon_: Command, data: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    options = ("--coreset-ratio", 0.2, "--target-dim", 16, "--batch-size", 3, "--seed", 7, "--false-reject-rate", 0.2)
    settings = ("--set", "anomaly_map.sigma=2", "--set", "calibration.review_percentile=50")
    ran = andon_("train", data, "-o", model, *SMALL, *options, *settings)
    assert ran.code == 0
    recipe = read_header(model).recipe.to_tree()
    assert recipe["detector"] | {"coreset_ratio": 0.2, "target_dim": 16} == recipe["detector"]
    assert recipe["training"] | {"batch_size": 3, "seed": 7} == recipe["training"]
    assert (
        recipe["calibration"]
        | {
            "method": "conformal",
            "false_reject_rate": 0.2,
            "review_percentile": 50.0,
        }
        == recipe["calibration"]
    )
    assert recipe["steps"]["resize"] == {"image_size": 64, "canvas": [64, 96]}
    assert recipe["anomaly_map"] == {"sigma": 2.0}


@pytest.mark.slow
def test_a_recipe_of_ones_own_and_settings_over_it(andon_: Command, data: Path, tmp_path: Path) -> None:
    recipe, model = tmp_path / "eigenes.toml", tmp_path / "m.safetensors"
    recipe.write_text("[steps.resize]\nimage_size = 128\n[detector]\ncoreset_ratio = 0.5\n")
    ran = andon_("train", data, "-o", model, "--recipe", recipe, "--detector", "patchcore", *SMALL)
    assert ran.code == 0
    written = read_header(model).recipe
    assert written.to_tree()["steps"]["resize"]["image_size"] == 64
    assert written.parameters["coreset_ratio"] == 0.5  # naming the recipe's own detector keeps its parameters


@pytest.mark.slow
def test_the_same_command_gives_the_same_file(andon_: Command, data: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert andon_("train", data, "-o", tmp_path / name, *SMALL).code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_preprocess_only_writes_sheets_and_no_model(andon_: Command, tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(3))
    (tmp_path / "ok" / "broken.png").write_bytes(b"rubbish")
    sheets, model = tmp_path / "sheets", tmp_path / "m.safetensors"
    ran = andon_("train", tmp_path / "ok", "-o", model, "--preprocess-only", sheets, *SMALL)
    assert ran.code == 0
    assert sorted(path.name for path in sheets.glob("*.png")) == ["000.png", "001.png", "002.png"]
    assert min(images.read(sheets / "000.png").shape[:2]) > 64
    assert "broken.png is not a photo" in ran.err
    assert not model.exists()


def test_a_test_photo_among_the_training_photos_stops_it_unless_allowed(
    andon_: Command, data: Path, tmp_path: Path
) -> None:
    leaky = shutil.copytree(data, tmp_path / "leaky")
    shutil.copy(leaky / "train/good/000.png", leaky / "test/good/copy.png")
    refused = andon_("train", leaky, "-o", tmp_path / "m.safetensors", *SMALL)
    assert refused.code == 2 and "copy.png" in refused.err
    assert not (tmp_path / "m.safetensors").exists()
    assert andon_("train", leaky, "-o", tmp_path / "m.safetensors", *SMALL, "--allow-duplicates").code == 0


@pytest.mark.parametrize("layout", ["folder", "mvtec"])
def test_the_layout_can_be_forced(layout: str, andon_: Command, data: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    assert andon_("train", data, "-o", model, "--layout", layout, *SMALL).code == 0
    assert read_header(model).manifest.data.startswith(f"Layout {layout}: ")
