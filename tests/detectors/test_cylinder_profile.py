"""Silhouettes with known tilts and dents: what is measured, what is drawn, and that no silhouette is no verdict."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import Command

from andon import detectors, images
from andon.backbones import Backbone
from andon.config import Tree
from andon.datasets import read
from andon.detectors import Detector
from andon.errors import ConfigError, ImageError
from andon.line.pipeline import Pipeline
from andon.recipes import Recipe
from andon.teaching.train import teach
from andon.types import Frame, Mask

SIZE = (300, 240)
HEIGHT, WIDTH = 200, 80
DENT_AT = 30  # px below the middle of the body
FINE = 8  # drawn at so many times the size

Profile = Detector[object]


def canister(tilt: float = 0.0, *, left: float = 0.0, right: float = 0.0, valve: int = 30) -> Mask:
    """A standing cylinder with a valve; `left` and `right` are dents in px, bulges where they are negative."""
    x, y = WIDTH / 2, HEIGHT / 2
    outline = [(-x, -y), (-14, -y), (-14, -y - valve), (14, -y - valve), (14, -y), (x, -y)]
    outline += [(x, DENT_AT - 20), (x - right, DENT_AT), (x, DENT_AT + 20), (x, y)]
    outline += [(-x, y), (-x, DENT_AT + 20), (-x + left, DENT_AT), (-x, DENT_AT - 20)]
    cosine, sine = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    turned = np.array(outline) @ np.array([[cosine, sine], [-sine, cosine]]) + (SIZE[1] / 2, SIZE[0] / 2)
    drawn = np.zeros((SIZE[0] * FINE, SIZE[1] * FINE), np.uint8)
    cv2.fillPoly(drawn, [np.round(FINE * turned).astype(np.int32)], 255)
    return cv2.resize(drawn, SIZE[::-1], interpolation=cv2.INTER_AREA) > 127


def frame(roi: Mask) -> Frame:
    size = (roi.shape[0], roi.shape[1])
    return Frame(np.zeros((*size, 3), np.uint8), roi, np.eye(3), size)


def score(detector: Profile, roi: Mask) -> tuple[float, np.ndarray]:
    image, patch = detector(torch.zeros(1, 3, *roi.shape), torch.from_numpy(roi[None]))
    return float(image), patch[0].numpy()


@pytest.fixture(scope="module")
def profile(backbone: Backbone) -> Profile:
    """Taught with six canisters that lean by up to 2 degrees."""
    rois = np.stack([canister(tilt) for tilt in (-2, -1.2, -0.4, 0.4, 1.2, 2)])
    batch = torch.zeros(len(rois), 3, *SIZE), torch.from_numpy(rois)
    return detectors.create("cylinder_profile", backbone).fit([batch], seed=0)


def measured(detector: Profile, subject: Frame) -> tuple[float, str, float, str, int]:
    """Tilt in degrees; kind, depth in percent, side and row of the largest deviation."""
    tilt, dent = detector.measure(subject).notes
    degrees = re.match(r"tilt ([+-][\d.]+)° \(OK photos [+-]0.0 ± 1.\d°\)", tilt)
    found = re.match(r"(deepest dent|largest bulge) ([\d.]+) % of the width, on the (left|right) at row (\d+)", dent)
    assert degrees and found
    return float(degrees[1]), found[1], float(found[2]), found[3], int(found[4])


@pytest.mark.parametrize("tilt", [-6.2, 0.0, 3.0, 12.0, 30.0])
def test_the_tilt_is_that_of_the_axis(tilt: float, profile: Profile) -> None:
    assert measured(profile, frame(canister(tilt)))[0] == pytest.approx(tilt, abs=0.15)


@pytest.mark.parametrize("tilt", [0.0, -5.0])
@pytest.mark.parametrize(
    ("dents", "kind", "side"),
    [
        ({"left": 4.0}, "deepest dent", "left"),
        ({"right": 8.0}, "deepest dent", "right"),
        ({"right": -6.0}, "largest bulge", "right"),
    ],
)
def test_a_dent_is_measured_by_depth_side_and_row(
    dents: dict[str, float], kind: str, side: str, tilt: float, profile: Profile
) -> None:
    roi = canister(tilt, left=dents.get("left", 0), right=dents.get("right", 0))
    _, found, percent, where, row = measured(profile, frame(roi))
    assert (found, where) == (kind, side)
    assert percent == pytest.approx(100 * abs(dents[side]) / WIDTH, abs=1.0)
    x = WIDTH / 2 * (1 if side == "right" else -1)
    expected = SIZE[0] / 2 + DENT_AT * np.cos(np.radians(tilt)) + x * np.sin(np.radians(tilt))
    assert row == pytest.approx(expected, abs=4)


def test_rows_and_lines_are_in_the_pixels_of_the_file(profile: Profile) -> None:
    roi = canister(right=8)
    to_file = np.array([[2.0, 0, 100], [0, 2.0, 50], [0, 0, 1]])
    moved = Frame(np.zeros((*SIZE, 3), np.uint8), roi, to_file, (800, 700))
    assert measured(profile, moved)[4] == pytest.approx(2 * (SIZE[0] / 2 + DENT_AT) + 50, abs=8)
    left, axis, right, dent = (line.xyxy for line in profile.measure(moved).lines)
    middle = 2 * SIZE[1] / 2 + 100
    assert axis[0] == pytest.approx(middle, abs=2) and axis[2] == pytest.approx(middle, abs=2)
    assert right[0] - left[0] == pytest.approx(2 * WIDTH, abs=4)
    assert [line.deviates for line in profile.measure(moved).lines] == [False, False, False, True]
    assert dent[0] == pytest.approx(right[0] - 2 * 8, abs=3) and dent[2] == pytest.approx(right[0], abs=2)


def test_a_dent_outscores_sound_canisters_and_is_marked_at_its_height(profile: Profile) -> None:
    sound = max(score(profile, canister(tilt))[0] for tilt in (-1.7, 0.1, 1.5))
    dented, marks = score(profile, canister(right=3))
    assert dented > 2 * sound
    row, column = np.unravel_index(marks.argmax(), marks.shape)
    assert abs(row - (SIZE[0] / 2 + DENT_AT)) <= 8
    assert abs(column - (SIZE[1] + WIDTH) / 2) <= 10
    assert (marks[row] == dented).sum() >= 5  # inwards from the outline, so that it can be seen
    assert (marks[~canister(right=3)] == 0).all()


def test_a_tilt_that_ok_photos_show_is_no_dent_and_one_beyond_counts_in_their_spread(profile: Profile) -> None:
    assert score(profile, canister(-1.7))[0] < 2
    low, high = np.percentile([-2, -1.2, -0.4, 0.4, 1.2, 2], (16, 84))
    assert score(profile, canister(8))[0] == pytest.approx(8 / ((high - low) / 2), rel=0.05)


def test_one_ok_photo_whose_part_was_not_found_rightly_hides_no_dent(backbone: Backbone) -> None:
    rois = np.stack([*(canister(tilt) for tilt in np.linspace(-2, 2, 9)), canister(left=-30, right=25)])
    batch = torch.zeros(len(rois), 3, *SIZE), torch.from_numpy(rois)
    detector = detectors.create("cylinder_profile", backbone).fit([batch], seed=0)
    assert score(detector, canister(right=3))[0] > 2 * score(detector, canister(0.1))[0]


def test_a_missing_valve_is_seen(profile: Profile) -> None:
    assert score(profile, canister(valve=0))[0] > 10


def test_any_shape_has_scores_and_figures(profile: Profile) -> None:
    for seed in range(11):
        rng = np.random.default_rng(seed)
        roi = cv2.blur(rng.random((60 + 20 * seed, 90)).astype(np.float32), (9, 9)) > 0.48 + 0.005 * seed
        assert profile.refuses(frame(roi)) is None, seed
        image, marks = score(profile, roi)
        assert np.isfinite(image) and np.isfinite(marks).all(), seed
        lines = profile.measure(frame(roi)).lines
        assert len(lines) == 4 and all(np.isfinite(line.xyxy).all() for line in lines), seed


def test_an_object_with_fewer_rows_than_heights_is_measured(profile: Profile) -> None:
    roi = np.zeros((40, 60), bool)
    roi[5:30, 20:40] = True
    roi[27:30, 20:50] = True
    assert "at row 2" in profile.measure(frame(roi)).notes[1]


WITHOUT = [np.ones(SIZE, bool), np.zeros(SIZE, bool), np.pad(np.ones((10, 20), bool), 20)]


@pytest.mark.parametrize("roi", WITHOUT, ids=["whole photo", "nothing", "a scrap"])
def test_without_a_silhouette_it_says_what_to_do(roi: Mask, profile: Profile) -> None:
    assert "add a step to the recipe that finds the object" in str(profile.refuses(frame(roi)))
    with pytest.raises(ImageError, match="has no silhouette that can be measured"):
        score(profile, roi)
    assert profile.refuses(frame(canister())) is None


@pytest.mark.parametrize("name", ["heights", "dent_tolerance", "tilt_tolerance"])
def test_a_parameter_out_of_its_range_is_refused(name: str, backbone: Backbone) -> None:
    with pytest.raises(ConfigError, match=f"detector.{name} is 0; it must be"):
        detectors.create("cylinder_profile", backbone, {name: 0})


def recipe(**more: Tree) -> Recipe:
    return Recipe.from_tree({"steps": {"otsu_roi": {}}, "detector": {"name": "cylinder_profile"}, **more})


def photograph(path: Path, roi: Mask, seed: int) -> Path:
    grain = np.random.default_rng(seed).normal(0, 3, (*SIZE, 1))
    photo = np.where(roi[:, :, None], 60, 200) + grain
    images.write(path, np.repeat(np.clip(photo, 0, 255), 3, axis=2).astype(np.uint8))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of canisters, dark on light. Read only."""
    root = tmp_path_factory.mktemp("canisters")
    for number, tilt in enumerate(np.linspace(-2, 2, 6)):
        photograph(root / f"{number}.png", canister(tilt), number)
    return root


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Pipeline:
    return teach(recipe(), read(folder)).pipeline


def test_an_inspection_tells_and_draws_what_was_measured(pipeline: Pipeline, tmp_path: Path) -> None:
    inspection = pipeline.inspect(photograph(tmp_path / "dented.png", canister(right=8), 50))
    assert inspection.verdict == "NG"
    assert inspection.to_row()["notes"] == list(inspection.notes)
    assert any("on the right at row" in note for note in inspection.notes) and "tilt" in inspection.notes[0]
    assert len(inspection.lines) == 4
    x0, y0, x1, y1 = inspection.regions[0].xyxy
    assert y0 <= SIZE[0] / 2 + DENT_AT <= y1 and x0 <= (SIZE[1] + WIDTH) / 2 - 8 <= x1 + 4


def test_a_photo_without_a_part_is_a_row_of_its_own(pipeline: Pipeline, folder: Path, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    images.write(blank, np.full((*SIZE, 3), 200, np.uint8))
    failure, inspection = pipeline.inspect_batch([blank, folder / "0.png"])
    assert failure.to_row()["error"].startswith(f"{blank} has no silhouette")
    assert inspection.to_row()["verdict"] != "error"


def test_training_names_the_photo_without_a_part(folder: Path, tmp_path: Path, andon_: Command) -> None:
    ran = andon_("train", folder, "--detector", "cylinder_profile", "-o", tmp_path / "model.safetensors")
    assert ran.code == 2
    assert re.search(r"Error: .*\d.png has no silhouette .* steps.otsu_roi, or leave the photo out.", ran.err)


def test_tiles_of_an_outline_are_refused() -> None:
    with pytest.raises(ConfigError, match="cylinder_profile looks at the outline of a whole part; take 'tiling' out"):
        detectors.configured(recipe(tiling={"size": 64}))
