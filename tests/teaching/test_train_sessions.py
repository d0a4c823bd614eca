"""A model that knows capture sessions: whole ones are held out, and the file says what each got."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import plate_photos
import pytest
from conftest import Command

from andon import images
from andon.models.save import save
from andon.models.taught import Taught
from andon.models.trained import load_taught
from andon.teaching.thresholds import recalibrate
from andon.teaching.train import train


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten parts on Monday and ten on Tuesday, when the photos were blurred."""
    root = tmp_path_factory.mktemp("days")
    for seed in range(20):
        photo, day = plate_photos.part(seed), "mon" if seed < 10 else "tue"
        if day == "tue":
            photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 1.5), np.uint8)
        images.write(root / "train" / "good" / f"{day}_{seed}.png", photo)
    return root


@pytest.fixture(scope="module")
def by_day(days: Path) -> Taught:
    return train(days, settings=plate_photos.FAST, session_from="^[a-z]+")


def median(model: Taught) -> float:
    assert model.calibration is not None
    return float(np.median(model.calibration.ok_scores))


@pytest.mark.slow
def test_photos_of_another_day_score_higher_than_those_of_the_same(days: Path, by_day: Taught) -> None:
    by_chance = train(days, settings=plate_photos.FAST)
    assert median(by_day) > 1.1 * median(by_chance)
    assert by_chance.manifest.sessions.names == ()
    assert any("nothing is known of another day" in remark for remark in by_chance.manifest.remarks)
    assert any("2 of them, mon to tue" in remark for remark in by_day.manifest.remarks)


@pytest.mark.slow
def test_a_photo_that_is_on_both_days_does_not_train_the_model_that_scores_its_twin(days: Path, tmp_path: Path) -> None:
    for photo in (days / "train" / "good").glob("*.png"):
        images.write(tmp_path / "train" / "good" / photo.name, images.load(photo.read_bytes(), photo).image)
    twin = tmp_path / "train" / "good" / "tue_0.png"
    twin.write_bytes((tmp_path / "train" / "good" / "mon_0.png").read_bytes())
    every_patch = ("detector.coreset_ratio=1", "detector.coverage=0")
    model = train(tmp_path, settings=[*plate_photos.FAST, *every_patch], session_from="^[a-z]+")
    assert model.calibration is not None
    # Had its twin trained the model that scored it, a photo would score next to nothing.
    assert model.calibration.ok_scores[0] > 0.3 * median(model)


def test_the_file_keeps_the_sessions_and_info_shows_them(andon_: Command, by_day: Taught, tmp_path: Path) -> None:
    path = tmp_path / "days.safetensors"
    save(by_day, path)
    assert load_taught(path).manifest.sessions == by_day.manifest.sessions
    assert sorted(by_day.manifest.sessions.numbers) == [0] * 10 + [1] * 10
    said = json.loads(andon_("info", path, "--json").out)["sessions"]
    assert (said["mon"]["n"], said["tue"]["n"]) == (10, 10)
    assert said["mon"]["median_score"] != said["tue"]["median_score"]
    assert "With a threshold from the other sessions" in said["in_words"]
    assert "With a threshold from the other sessions" in andon_("info", path).out


def test_other_photos_make_other_scores_so_the_sessions_are_forgotten(by_day: Taught, tmp_path: Path) -> None:
    again = recalibrate(by_day, by_day.recipe.calibration, plate_photos.write_parts(tmp_path, range(400, 412)))
    assert again.manifest.sessions.names == ()
    save(again, tmp_path / "again.safetensors")
    assert load_taught(tmp_path / "again.safetensors").manifest.sessions.names == ()


def test_a_calibration_split_of_one_day_tells_nothing_of_another(by_day: Taught, days: Path, tmp_path: Path) -> None:
    for photo in (days / "train" / "good").glob("*.png"):
        part = "train" if int(photo.stem[4:]) % 2 or photo.name.startswith("mon") else "validation"
        images.write(tmp_path / part / "good" / photo.name, images.load(photo.read_bytes(), photo).image)
    model = train(tmp_path, settings=plate_photos.FAST, session_from="^[a-z]+")
    assert model.manifest.sessions.names == ("tue",)
    assert any("one capture session, so nothing is known" in remark for remark in model.manifest.remarks)
    assert len(by_day.manifest.sessions.names) == 2
    assert not any("nothing is known" in remark for remark in by_day.manifest.remarks)


def test_the_guard_holds_out_whole_sessions(tmp_path: Path) -> None:
    """On each day the camera hung elsewhere, so that only photos of the same day show the same layout."""
    for seed in range(15):
        day = seed // 3
        photo = np.roll(plate_photos.part(seed), 18 * day, axis=1)
        images.write(tmp_path / "train" / "good" / f"{'abcde'[day]}_{seed}.png", photo)
    quick = (*plate_photos.FAST_WITH_ANY_DETECTOR, "detector.name=histogram")
    by_day, by_chance = (train(tmp_path, settings=quick, session_from=how) for how in ("^[a-z]", "none"))
    assert by_day.pipeline.guard is not None and by_chance.pipeline.guard is not None
    assert by_day.pipeline.guard.layout_spread > 2 * by_chance.pipeline.guard.layout_spread
