"""Training with labelled photos: which NG photos train, that they are named, and that they do not test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import datasets, images
from andon.errors import ConfigError, DatasetError
from andon.line.calibration import CalibrationRule
from andon.models.save import save
from andon.models.taught import Taught
from andon.recipes import Recipe
from andon.teaching.thresholds import recalibrate
from andon.teaching.train import teach, train
from andon.types import Sample


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 photos to learn from, 3 to calibrate, 4 OK and 4 rusty ones to test. Read only."""
    root = tmp_path_factory.mktemp("labelled") / "plates"
    return plate_photos.write_data(root, n_train=6, n_calibration=3, n_test=4)


@pytest.fixture(scope="module")
def probe(plates: Path) -> Taught:
    return trained(plates, 0.5)


def trained(data: Path, ng_from_test: float = 0.0) -> Taught:
    recipe = {
        "steps": {"resize": {"image_size": 64}},
        "detector": {"name": "linear_probe"},
        "training": {"ng_from_test": ng_from_test},
    }
    return teach(Recipe.from_tree(recipe), datasets.read(data))


def test_without_ng_photos_to_learn_from_it_says_how_to_get_some(plates: Path) -> None:
    with pytest.raises(DatasetError, match=r"all 4 of them are test photos; put some .* training.ng_from_test=0.5"):
        trained(plates)


def test_a_seeded_half_of_the_test_photos_trains_and_is_named(probe: Taught, plates: Path) -> None:
    named = probe.manifest.photos()["trained_ng"]
    assert len(named) == 2 and all(name.startswith("test/rust/") for name in named)
    assert all(images.sha256((plates / name).read_bytes()) == digest for name, digest in named.items())
    assert trained(plates, 0.5).manifest.photos()["trained_ng"] == named
    said = "2 of the 4 NG test photos (seed 0), which are not evaluated, train"
    assert any(said in remark for remark in probe.manifest.remarks)


def test_it_never_claims_to_be_ok_only(probe: Taught) -> None:
    assert any("linear_probe is not an OK-only method" in remark for remark in probe.manifest.remarks)


def test_the_threshold_comes_from_ok_photos_alone(probe: Taught) -> None:
    assert probe.calibration is not None and len(probe.calibration.ok_scores) == 3
    assert all(name.startswith("validation/good") for name in probe.manifest.calibrated.names)


def test_what_trained_is_not_evaluated(probe: Taught, plates: Path, andon_: Command, tmp_path: Path) -> None:
    save(probe, tmp_path / "probe.safetensors")
    ran = andon_("evaluate", tmp_path / "probe.safetensors", plates, "--json")
    figures = json.loads(ran.out)
    assert (figures["n_ok"], figures["n_ng"]) == (4, 2)
    info = andon_("info", tmp_path / "probe.safetensors").out
    assert "trained_ng: 2 photos" in info and "not an OK-only method" in info


def test_ng_photos_of_the_training_split_teach_without_any_option(plates: Path, tmp_path: Path) -> None:
    data = shutil.copytree(plates, tmp_path / "plates")
    for seed in (400, 401):
        images.write(data / "train" / "rust" / f"{seed}.png", plate_photos.rusty(seed)[0])
    samples = datasets.read(data, "mvtec").samples
    extra = tuple(Sample(path, True, split="train") for path in sorted((data / "train" / "rust").iterdir()))
    ng, note = datasets.ng_to_learn_from((*samples, *extra), 0.0, seed=0)
    assert ng == extra
    assert note == "2 NG photos of the training and calibration splits train beside the OK photos."


def test_a_twin_of_a_test_photo_does_not_teach() -> None:
    teaches, twin = (Sample(Path(name), True, split="train") for name in "ab")
    tests = Sample(Path("c"), True, split="test")
    group = frozenset({twin.path, tests.path})
    assert datasets.ng_to_learn_from((teaches, twin, tests), 0.0, 0, [group])[0] == (teaches,)


def test_twins_are_taken_from_testing_together() -> None:
    samples = [Sample(Path(f"{number}"), True, split="test") for number in range(8)]
    groups = [frozenset({samples[i].path, samples[i + 1].path}) for i in (0, 2, 4, 6)]
    for seed in range(5):
        ng = {sample.path for sample in datasets.ng_to_learn_from(samples, 0.5, seed, groups)[0]}
        assert len(ng) == 4 and all(group <= ng or group.isdisjoint(ng) for group in groups)


def test_too_few_ng_photos_to_share_are_refused() -> None:
    for samples in ([], [Sample(Path("only.png"), True, split="test")]):
        with pytest.raises(DatasetError, match=r"there are too few \((0|1)\); add photos of NG parts"):
            datasets.ng_to_learn_from(samples, 0.5, 0)


def test_a_detector_that_wants_no_ng_photos_takes_none_from_testing(plates: Path) -> None:
    with pytest.raises(ConfigError, match=r"ng_from_test is 0.5, but the detector patchcore learns from OK photos"):
        train(plates, settings=(*plate_photos.FAST, "training.ng_from_test=0.5"))


def test_ng_photos_that_trained_may_not_set_the_threshold(probe: Taught, plates: Path) -> None:
    name = probe.manifest.trained_ng.names[0]
    new = sorted((plates / "test" / "good").iterdir())
    with pytest.raises(DatasetError, match="1 of the 5 photos trained this model"):
        recalibrate(probe, CalibrationRule(method="target-recall"), new, [plates / name])


def test_the_command_says_it_in_one_sentence(plates: Path, tmp_path: Path, andon_: Command) -> None:
    ran = andon_("train", plates, "--detector", "linear_probe", "-o", tmp_path / "model.safetensors")
    assert ran.code == 2 and "Error: This detector learns from labelled NG photos too" in ran.err
    assert not (tmp_path / "model.safetensors").exists()
