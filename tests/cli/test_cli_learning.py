"""Detectors that learn by gradient, at the command line: Ctrl-C, going on, refusals, losses and the table of alphas."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plate_photos
import pytest
from conftest import Command

from andon.detectors import _checkpoint, _training
from andon.models.header import read_header
from andon.models.load import load
from andon.models.save import save
from andon.models.trained import load_taught
from andon.teaching.alphas import recalibrated
from andon.teaching.train import train

TINY = ("steps.resize.image_size=32", "detector.width=4", "detector.depth=2", "detector.epochs=4", "training.folds=1")
WORDS = ("--recipe", "metal_plate", *(word for setting in TINY for word in ("--set", setting)))
EPOCHS = 4


@pytest.fixture(scope="module")
def ok_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plates") / "ok"
    plate_photos.write_parts(folder, range(15))
    return folder


@pytest.fixture(scope="module")
def plates(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of all tests with its calibration photos among those to learn from."""
    root = shutil.copytree(data, tmp_path_factory.mktemp("set") / "plates")
    for path in (root / "validation" / "good").iterdir():
        path.rename(root / "train" / "good" / path.name)
    shutil.rmtree(root / "validation")
    return root


@pytest.fixture(scope="module")
def plates_model(plates: Path) -> Path:
    path = plates.parent / "plates.safetensors"
    save(train(plates, recipe="metal_plate", settings=TINY), path)
    return path


def stop_in_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int) -> Callable[[], None]:
    """Ctrl-C while the held-out photos of that epoch are measured."""
    measure, calls = _training._measure, []

    def interrupted(*arguments: Any) -> float:
        calls.append(1)
        if len(calls) == epoch:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(_training, "_measure", interrupted)
    return lambda: monkeypatch.setattr(_training, "_measure", measure)


@pytest.mark.slow
def test_one_model_is_trained_and_a_fifth_of_the_photos_calibrates(
    andon_: Command, ok_photos: Path, tmp_path: Path
) -> None:
    ran = andon_("train", ok_photos, "-o", tmp_path / "m.safetensors", *WORDS)
    assert ran.code == 0
    manifest = read_header(tmp_path / "m.safetensors").manifest
    assert (len(manifest.trained), len(manifest.calibrated)) == (12, 3)
    assert any("3 of 15 OK photos" in remark and "20 or more" in remark for remark in manifest.remarks)
    assert any(f"{EPOCHS} of at most {EPOCHS} epochs were run; epoch " in remark for remark in manifest.remarks)
    assert manifest.epochs is not None
    held_out = manifest.epochs.losses["held-out"]
    assert len(held_out) == EPOCHS and held_out[manifest.epochs.best - 1] == min(held_out)
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]  # no checkpoint is left


@pytest.mark.slow
def test_after_ctrl_c_there_is_a_model_and_the_same_command_takes_the_training_up_again(
    andon_: Command,
    ok_photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    assert andon_("train", ok_photos, "-o", whole, *WORDS).code == 0
    go_on = stop_in_epoch(monkeypatch, 3)
    assert andon_("train", ok_photos, "-o", cut, *WORDS).code == 0
    assert "Ctrl-C ended the training; the same command resumes it; 2 of at most 4 epochs" in caplog.text
    assert load(cut).calibration is not None
    assert (tmp_path / "cut.checkpoint.safetensors").exists()
    go_on()
    assert andon_("train", ok_photos, "-o", cut, *WORDS).code == 0
    assert "resumes after epoch 2" in caplog.text
    assert cut.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "cut.checkpoint.safetensors").exists()


@pytest.mark.parametrize("change", ["another seed", "another setting", "other photos"])
def test_another_training_begins_anew(
    change: str,
    andon_: Command,
    ok_photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    model, photos = tmp_path / "m.safetensors", shutil.copytree(ok_photos, tmp_path / "ok")
    go_on = stop_in_epoch(monkeypatch, 2)
    assert andon_("train", photos, "-o", model, *WORDS).code == 0
    go_on()
    if change == "other photos":
        plate_photos.write_parts(photos, range(30, 35))
    words = {"another seed": ("--seed", 3), "another setting": ("--set", "detector.alpha=0.2"), "other photos": ()}
    ran = andon_("train", photos, "-o", model, *WORDS, *words[change])
    assert ran.code == 0
    assert "resumes after" not in caplog.text
    epochs = read_header(model).manifest.epochs
    assert epochs is not None and len(epochs.losses["held-out"]) == EPOCHS


def test_ctrl_c_in_the_first_epoch_leaves_no_model(
    andon_: Command, ok_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_in_epoch(monkeypatch, 1)
    ran = andon_("train", ok_photos, "-o", tmp_path / "m.safetensors", *WORDS)
    assert ran.code == 130
    assert not list(tmp_path.iterdir())


def test_a_full_disk_for_the_checkpoint_is_a_warning(
    andon_: Command,
    ok_photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_checkpoint, "write_whole", full)
    ran = andon_("train", ok_photos, "-o", tmp_path / "m.safetensors", *WORDS)
    assert ran.code == 0
    assert caplog.text.count("without a checkpoint") == 1
    assert load(tmp_path / "m.safetensors").calibration is not None


@pytest.mark.parametrize(
    ("n_photos", "words", "sentence"),
    [
        (
            3,
            (),
            "Only 1 of the OK photos can train, as the others calibrate",
        ),
        (15, ("--set", "detector.depth=6"), "set steps.resize.canvas="),
        (15, ("--set", "detector.learning_rate=1e30"), "not finite in epoch 1"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(
    n_photos: int, words: tuple[str, ...], sentence: str, andon_: Command, tmp_path: Path
) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(n_photos))
    ran = andon_("train", tmp_path / "ok", "-o", tmp_path / "m.safetensors", *WORDS, *words)
    assert ran.code == 2
    last = ran.err.strip().splitlines()[-1]
    assert last.startswith("Error: ") and sentence in last
    assert "Traceback" not in ran.err
    assert not (tmp_path / "m.safetensors").exists()


def test_info_says_epochs_and_the_losses_of_the_best(andon_: Command, plates_model: Path) -> None:
    epochs = read_header(plates_model).manifest.epochs
    assert epochs is not None
    lines = andon_("info", plates_model).out.splitlines()
    begin = lines.index("  epochs:")
    assert lines[begin + 1 : begin + 3] == [f"    number: {EPOCHS}", f"    best: {epochs.best}"]
    assert f"      held-out: {epochs.losses['held-out'][epochs.best - 1]}" in lines
    assert "[" not in "".join(line for line in lines if "losses" in line)
    told = json.loads(andon_("info", plates_model, "--json").out)["manifest"]["epochs"]
    assert told == {"best": epochs.best, "losses": {name: list(values) for name, values in epochs.losses.items()}}


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_report_draws_the_losses_only_where_there_are_some(
    andon_: Command, plates: Path, plates_model: Path, model: Path, tmp_path: Path
) -> None:
    assert andon_("evaluate", plates_model, plates, "--out", tmp_path / "learnt").code == 0
    assert (tmp_path / "learnt" / "plots" / "losses.png").exists()
    assert "<h3>Training</h3>" in (tmp_path / "learnt" / "report.html").read_text(encoding="utf-8")
    assert andon_("evaluate", model, plates, "--out", tmp_path / "not").code == 0
    assert "<h3>Training</h3>" not in (tmp_path / "not" / "report.html").read_text(encoding="utf-8")


def test_alphas_prints_a_row_per_alpha(andon_: Command, plates: Path, plates_model: Path) -> None:
    ran = andon_("alphas", plates_model, plates)
    assert ran.code == 0
    *table, note = ran.out.splitlines()
    assert table[0].split() == ["alpha", "threshold", "precision", "recall"]
    assert [row.split()[0] for row in table[1:]] == [f"0.{tenths}" for tenths in range(1, 10)]
    assert note.startswith(
        "Threshold: 95th percentile of 2 OK photos (held-out). Precision and recall: on 2 OK and 2 NG"
    )


def test_alphas_takes_thresholds_of_held_out_photos_from_the_models_that_had_not_seen_them(
    andon_: Command, plates: Path, tmp_path: Path
) -> None:
    folded, chosen = tmp_path / "folded.safetensors", tmp_path / "chosen.safetensors"
    settings = (*TINY[:-2], "detector.epochs=1", "training.folds=2", "detector.alpha=0.3")
    save(train(plates, recipe="metal_plate", settings=settings), folded)
    ran = andon_("alphas", folded, plates, "--choose", 0.8, "-o", chosen)
    assert "95th percentile of 14 OK photos (held-out)" in ran.out
    thresholds = [float(row.split()[1]) for row in ran.out.splitlines()[1:10]]
    for row, model in ((2, folded), (7, chosen)):
        calibration = read_header(model).calibration
        assert calibration is not None and thresholds[row] == pytest.approx(calibration.threshold, abs=1e-4)


def test_alphas_takes_thresholds_of_the_photos_that_calibrated_the_model_last(
    andon_: Command, plates: Path, plates_model: Path, tmp_path: Path
) -> None:
    plate_photos.write_parts(tmp_path / "more", range(800, 805))
    again = tmp_path / "again.safetensors"
    assert andon_("calibrate", plates_model, tmp_path / "more", "-o", again).code == 0
    assert "95th percentile of 5 OK photos (held-out)" in andon_("alphas", again, plates).out


def test_alphas_takes_thresholds_of_the_training_photos_when_asked_to(
    andon_: Command, plates: Path, plates_model: Path
) -> None:
    ran = andon_("alphas", plates_model, plates, "--threshold-from", "training-photos", "--percentile", 50)
    assert "50th percentile of 12 OK photos (training-photos)" in ran.out
    thresholds = [float(row.split()[1]) for row in ran.out.splitlines()[1:-1]]
    assert all(0.5 < threshold < 1.5 for threshold in thresholds)  # errors are 1 on average on these photos


def test_a_chosen_alpha_makes_a_model_that_says_on_which_photos_it_was_chosen(
    andon_: Command, plates: Path, plates_model: Path, tmp_path: Path
) -> None:
    chosen = tmp_path / "chosen.safetensors"
    assert andon_("alphas", plates_model, plates, "--choose", 0.2, "-o", chosen).code == 0
    header, before = read_header(chosen), read_header(plates_model)
    assert header.recipe.parameters == {**before.recipe.parameters, "alpha": 0.2}
    assert header.calibration is not None and before.calibration is not None
    assert header.calibration.threshold != before.calibration.threshold
    assert header.terms.shape == (2, 2) and np.array_equal(header.terms, before.terms)
    assert header.calibration.pixel_threshold == before.calibration.pixel_threshold
    assert header.manifest.remarks[-1].startswith("alpha 0.2 was chosen in view of 2 OK and 2 NG test photos of ")


def test_a_chosen_alpha_changes_nothing_else_of_how_photos_are_read(plates_model: Path) -> None:
    before = load_taught(plates_model, precision="bf16")
    before = replace(before, pipeline=replace(before.pipeline, white=4095.0))
    after = recalibrated(before, 0.2).pipeline
    assert after.scorer.precision == "bf16"
    assert (after.white, after.steps, after.map_sigma) == (4095.0, before.pipeline.steps, before.pipeline.map_sigma)


def test_alphas_refuses_other_detectors_other_data_and_half_a_choice(
    andon_: Command, plates: Path, data: Path, tmp_path: Path, plates_model: Path, model: Path
) -> None:
    plate_photos.write_parts(tmp_path / "other", range(700, 705))
    assert "detector is patchcore, which has no alpha" in andon_("alphas", model, data).err
    assert "no labelled photos that" in andon_("alphas", plates_model, plates / "train").err
    ran = andon_("alphas", plates_model, tmp_path / "other", "--threshold-from", "training-photos")
    assert "holds none of the photos that trained the model" in ran.err
    assert "--choose and -o belong together" in andon_("alphas", plates_model, plates, "--choose", 0.2).err
