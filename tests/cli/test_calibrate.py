"""andon calibrate: the options say which rule, and the model is written whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images
from andon.models.header import read_header
from andon.models.load import load


@pytest.fixture
def own_model(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(model, tmp_path / "own.safetensors"))


@pytest.fixture
def ok(tmp_path: Path) -> Path:
    plate_photos.write_parts(tmp_path / "neue OK", range(400, 410))
    return tmp_path / "neue OK"


@pytest.fixture
def ng(tmp_path: Path) -> Path:
    for seed in range(500, 504):
        images.write(tmp_path / "ng" / f"{seed}.png", plate_photos.rusty(seed)[0])
    return tmp_path / "ng"


def test_with_overwrite_the_model_is_written_anew_in_its_place_and_the_old_one_kept(
    andon_: Command, own_model: Path, ok: Path
) -> None:
    before, old = read_header(own_model), own_model.read_bytes()
    ran = andon_("calibrate", own_model, ok, "--percentile", 80, "--overwrite")
    after = read_header(own_model)
    assert own_model.with_name("own.old.safetensors").read_bytes() == old
    assert ran.code == 0
    assert ran.out.startswith("Threshold ") and "the 80th percentile, from 10 held-out OK photos" in ran.out
    assert after.calibration is not None and before.calibration is not None
    assert after.calibration.describe() in ran.out
    assert after.recipe.calibration.percentile == after.calibration.rule.percentile == 80
    assert after.calibration.threshold != before.calibration.threshold
    assert after.backbone == before.backbone


def test_without_a_name_the_model_is_written_under_a_new_one_and_never_over_another(
    andon_: Command, own_model: Path, ok: Path
) -> None:
    before = own_model.read_bytes()
    assert andon_("calibrate", own_model, ok).code == 0
    assert own_model.read_bytes() == before
    new = own_model.with_name("own-calibrated.safetensors")
    first = new.read_bytes()
    ran = andon_("calibrate", own_model, ok, "--percentile", 50)
    assert ran.code == 2 and "exists already" in ran.err
    assert new.read_bytes() == first


def test_with_another_output_the_model_itself_stays(andon_: Command, own_model: Path, ok: Path) -> None:
    before, other = own_model.read_bytes(), own_model.with_name("other.safetensors")
    assert andon_("calibrate", own_model, ok, "-o", other).code == 0
    assert own_model.read_bytes() == before
    assert load(other).calibration is not None


@pytest.mark.slow
def test_each_option_implies_its_method(andon_: Command, own_model: Path, ok: Path, ng: Path) -> None:
    for options, method in (
        (("--false-reject-rate", 0.1), "conformal"),
        (("--percentile", 90), "percentile"),
        (("--ng", ng), "target-recall"),
        (("--ng", ng, "--recall", 0.5), "target-recall"),
        (("--method", "percentile", "--review-percentile", 50), "percentile"),
    ):
        ran = andon_("calibrate", own_model, ok, *options, "--overwrite")
        assert ran.code == 0, ran.err
        assert read_header(own_model).recipe.calibration.method == method
    calibration = read_header(own_model).calibration
    assert calibration is not None and calibration.review_threshold is not None
    assert calibration.review_threshold < calibration.threshold


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--false-reject-rate", 0.01), "10 calibration photos can promise a false-reject rate of 9.1 % at best"),
        (("--false-reject-rate", "nan"), "calibration.false_reject_rate is nan; it must be between 0 and 1."),
        (("--percentile", -5), "calibration.percentile is -5; it must be between 0 and 100."),
        (
            ("--percentile", 90, "--false-reject-rate", 0.2),
            "The options belong to the methods percentile and conformal; choose one with --method.",
        ),
        (("--recall", 0.9), "The method target-recall needs labelled NG photos"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused_and_the_model_stays(
    options: tuple[object, ...], sentence: str, andon_: Command, own_model: Path, ok: Path
) -> None:
    before = own_model.read_bytes()
    ran = andon_("calibrate", own_model, ok, *options)
    assert ran.code == 2
    assert ran.err.startswith(f"Error: {sentence}")
    assert own_model.read_bytes() == before


def test_photos_that_trained_the_model_are_refused(andon_: Command, own_model: Path, data: Path) -> None:
    ran = andon_("calibrate", own_model, data / "train")
    assert ran.code == 2
    assert "8 of the 8 photos trained this model" in ran.err


def test_ng_photos_print_what_other_thresholds_would_do(
    andon_: Command, own_model: Path, ok: Path, ng: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="andon"):
        assert andon_("calibrate", own_model, ok, "--ng", ng, "--recall", 0.5).code == 0
    (table,) = [message.splitlines() for message in caplog.messages if "NG caught" in message]
    assert "4 of 4 (100 %)" in table[1] and "2 of 4 (50 %)" in table[-1] and " of 10 (" in table[1]


def test_a_threshold_given_by_hand_needs_no_photos_and_says_what_it_changes(andon_: Command, own_model: Path) -> None:
    new = own_model.with_name("new.safetensors")
    before = read_header(own_model).calibration
    assert before is not None and len(before.ok_scores) == 6
    bar, band = float(before.ok_scores[3]), float(before.ok_scores[1])
    ran = andon_("calibrate", own_model, "--threshold", bar, "--review-threshold", band, "-o", new)
    assert ran.code == 0, ran.err
    assert f"Old: NG from {before.threshold:.4g}, no review." in ran.out
    assert f"New: NG from {bar:.4g}, review from {band:.4g}." in ran.out
    assert "Of the 6 held-out OK photos: 1 -> 3 NG, 0 -> 2 review, 5 -> 1 OK." in ran.out
    header = read_header(new)
    assert header.calibration is not None and header.calibration.rule.method == "given"
    assert (header.calibration.threshold, header.calibration.review_threshold) == (bar, band)
    assert header.calibration.pixel_threshold == before.pixel_threshold
    assert "The threshold was given by hand." in header.manifest.remarks


def test_a_band_that_a_new_threshold_leaves_no_room_for_is_dropped_and_one_can_be_made_anew(
    andon_: Command, own_model: Path
) -> None:
    low, banded = own_model.with_name("low.safetensors"), own_model.with_name("banded.safetensors")
    scores = read_header(own_model).calibration.ok_scores  # type: ignore[union-attr]
    assert andon_("calibrate", own_model, "--review", "-o", banded).code == 0
    assert read_header(banded).calibration.sets_aside.above == 3  # type: ignore[union-attr]
    assert read_header(banded).calibration.rule.method == "percentile"  # type: ignore[union-attr]
    ran = andon_("calibrate", banded, "--threshold", float(scores[0]), "-o", low)
    assert ran.code == 0 and "There is no review band." in ran.out
    ran = andon_("calibrate", banded, "--no-review", "--overwrite")
    assert ran.code == 0 and "2 -> 0 review" in ran.out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "Neither photos nor a threshold are given"),
        (("--threshold", "nan"), "--threshold is not a number; give a score, such as"),
        (("--threshold", 1e9), "--threshold 1e+09 is far from every score"),
        (("--review-threshold", 999), "--review-threshold 999 is not below the threshold"),
        (("--threshold", 1, "--percentile", 90), "--percentile need OK photos"),
        (("--threshold", 1, "OK"), "--threshold and --review-threshold need no photos"),
    ],
)
def test_a_threshold_that_cannot_be_meant_is_refused(
    options: tuple[object, ...], sentence: str, andon_: Command, own_model: Path, ok: Path
) -> None:
    ran = andon_("calibrate", own_model, *(ok if word == "OK" else word for word in options))
    assert ran.code == 2
    assert ran.err.startswith(f"Error: {sentence}")


def test_remarks_on_an_old_threshold_are_replaced(andon_: Command, own_model: Path, ok: Path) -> None:
    for options in ((ok,), ("--threshold", 1.0), (ok, "--method", "percentile")):
        assert andon_("calibrate", own_model, *options, "--overwrite").code == 0
    remarks = read_header(own_model).manifest.remarks
    assert sum("Calibrated again" in remark or "by hand" in remark for remark in remarks) == 1


@pytest.mark.slow
def test_photos_that_had_a_say_in_the_threshold_are_not_evaluated_or_the_figures_are_marked(
    andon_: Command, own_model: Path, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    test = Path(shutil.copytree(data / "test", tmp_path / "plates" / "test"))
    good = next(path for path in test.iterdir() if path.name == "good")
    plate_photos.write_parts(good, range(600, 603))
    shown = tmp_path / "shown"
    plate_photos.write_parts(shown, range(600, 602))  # the same photos under other names
    assert andon_("calibrate", own_model, shown, "--ng", test / "rust", "--overwrite").code == 0
    assert read_header(own_model).manifest.set_threshold
    ran = andon_("evaluate", own_model, tmp_path / "plates", "--layout", "folder", "--json")
    assert ran.code == 0, ran.err
    assert any("4 photos are not evaluated, as they had a say" in message for message in caplog.messages)
    ran = andon_("evaluate", own_model, tmp_path / "plates", "--layout", "folder", "--keep-calibrated")
    assert any("4 of the photos had a say in the threshold" in message for message in caplog.messages)
