"""What verify finds in a data set."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from andon import datasets, images
from andon.datasets import Finding
from andon.types import RgbImage

SIZE = (48, 72)


def scene(seed: int, size: tuple[int, int] = SIZE) -> RgbImage:
    small = np.random.default_rng(seed).integers(0, 256, (12, 18, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def mask(size: tuple[int, int] = SIZE) -> RgbImage:
    drawn = np.zeros((*size, 3), dtype=np.uint8)
    drawn[5:15, 20:40] = 255
    return drawn


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A clean set: 8 OK to learn from, 2 OK and 3 NG to test, with masks."""
    folders = {"train/good": 8, "test/good": 2, "test/dent": 2, "test/rust": 1}
    seed = 0
    for folder, n in folders.items():
        for i in range(n):
            images.write(tmp_path / folder / f"{i}.png", scene(seed := seed + 1))
    for name in ("dent/0", "dent/1", "rust/0"):
        images.write(tmp_path / "ground_truth" / f"{name}_mask.png", mask())
    return tmp_path


def look(root: Path) -> tuple[datasets.Verification, list[Finding]]:
    found = datasets.verify(datasets.read(root))
    return found, list(found.findings)


def test_a_clean_set(data: Path) -> None:
    found, findings = look(data)
    assert findings == [] and found.is_clean
    assert found.counts() == {
        "train": {"OK": 8, "NG": 0, "unlabelled": 0},
        "test": {"OK": 2, "NG": 3, "unlabelled": 0},
    }


def test_unreadable_photos_are_a_problem_with_the_reason(data: Path) -> None:
    (data / "train/good/0.png").write_bytes((data / "train/good/0.png").read_bytes()[:200])
    (data / "test/dent/1.png").write_bytes(b"")
    found, (finding,) = look(data)
    assert not found.is_clean
    assert finding.is_problem and finding.what == "2 photos cannot be read"
    assert any("1.png is empty (0 bytes)" in item for item in finding.items)
    assert any("0.png is damaged or cut short" in item for item in finding.items)


def test_repeated_pictures_across_splits_are_a_problem(data: Path) -> None:
    images.write(data / "test/good/same.bmp", images.read(data / "train/good/0.png"))
    images.write(data / "test/good/near.png", np.ascontiguousarray(images.read(data / "train/good/1.png")[:, ::-1]))
    _, findings = look(data)
    assert findings == [
        Finding(True, "2 photos in 1 group are identical across splits", ("test/good/same.bmp = train/good/0.png",)),
        Finding(True, "2 photos in 1 group look alike across splits", ("test/good/near.png = train/good/1.png",)),
    ]


def test_repeated_pictures_within_a_split_are_only_remarked(data: Path) -> None:
    images.write(data / "train/good/same.bmp", images.read(data / "train/good/0.png"))
    found, (finding,) = look(data)
    assert finding == Finding(
        False, "2 photos in 1 group are identical within a split", ("train/good/0.png = train/good/same.bmp",)
    )
    assert found.is_clean


def test_one_picture_labelled_ok_and_ng_is_a_problem(data: Path) -> None:
    images.write(data / "test/good/also dent.bmp", images.read(data / "test/dent/0.png"))
    found, findings = look(data)
    assert not found.is_clean
    assert findings[0].what == "2 photos in 1 group show the same picture labelled both OK and NG"
    assert findings[0].items == ("test/dent/0.png = test/good/also dent.bmp",)


def test_photos_that_look_alike_are_no_contradiction(data: Path) -> None:
    """A part that was scorched all over has the structure of the sound one, and is still another picture."""
    sound = images.read(data / "train/good/0.png")
    images.write(data / "test/dent/scorched.png", (sound * 0.6).astype(np.uint8))
    images.write(data / "ground_truth/dent/scorched_mask.png", mask())
    _, findings = look(data)
    assert [(finding.is_problem, finding.what) for finding in findings] == [
        (True, "2 photos in 1 group look alike across splits"),
        (False, "2 photos in 1 group look alike, and some are labelled OK and others NG"),
    ]


@pytest.mark.parametrize("how", ["noisier", "mirrored", "turned"])
def test_one_picture_saved_again_is_a_contradiction(data: Path, how: str) -> None:
    sound = images.read(data / "train/good/0.png").astype(np.int16)
    noise = np.random.default_rng(0).normal(0, 3, sound.shape).astype(np.int16)
    noisier = np.clip(sound + noise, 0, 255).astype(np.uint8)
    again = {"noisier": noisier, "mirrored": noisier[:, ::-1], "turned": np.rot90(noisier)}[how]
    images.write(data / "test/dent/again.png", np.ascontiguousarray(again))
    _, findings = look(data)
    assert findings[0].is_problem
    assert findings[0].what == "2 photos in 1 group show the same picture labelled both OK and NG"


def test_a_spot_makes_another_picture(data: Path) -> None:
    spotted = images.read(data / "train/good/0.png").copy()
    spotted[20:24, 30:34] = 255 - spotted[20:24, 30:34]
    images.write(data / "test/dent/spotted.png", spotted)
    _, findings = look(data)
    assert not [finding for finding in findings if "same picture" in finding.what]


def test_a_mask_of_another_size_or_inverted_is_remarked(data: Path) -> None:
    truth = data / "ground_truth/dent"
    for number, drawn in enumerate((mask((SIZE[0] * 2, SIZE[1] * 2)), 255 - mask())):
        (truth / f"{number}_mask.png").unlink()
        images.write(truth / f"{number}_mask.png", drawn)
    found, (finding,) = look(data)
    assert found.is_clean and finding.what == "2 masks to look at"
    assert "was scaled to the photo's 72 x 48" in finding.items[0] and "may be inverted" in finding.items[1]


def test_masks_that_are_missing_or_of_no_use_are_problems(data: Path) -> None:
    truth = data / "ground_truth"
    for name in ("rust/0_mask.png", "dent/0_mask.png", "dent/1_mask.png"):
        (truth / name).unlink()
    images.write(truth / "dent/0_mask.png", mask((SIZE[1], SIZE[0])))
    images.write(truth / "dent/1_mask.png", np.zeros((*SIZE, 3), dtype=np.uint8))
    _, findings = look(data)
    assert findings == [
        Finding(True, "1 NG photo without a mask, while others have one", ("test/rust/0.png",)),
        Finding(
            True,
            "2 masks that cannot be used",
            (
                "ground_truth/dent/0_mask.png: The mask is 48 x 72 pixels but its photo is 72 x 48, which is another "
                "shape; export the mask again, in its photo's size.",
                "ground_truth/dent/1_mask.png: marks no defect",
            ),
        ),
    ]


def test_a_mask_that_cannot_be_read_is_a_problem(data: Path) -> None:
    (data / "ground_truth/rust/0_mask.png").write_bytes(b"rubbish")
    _, (finding,) = look(data)
    assert finding.is_problem and "is not a photo that Andon can read" in finding.items[0]


def test_a_set_without_any_mask_is_only_remarked(data: Path) -> None:
    for path in (data / "ground_truth").rglob("*.png"):
        path.unlink()
    found, (finding,) = look(data)
    assert found.is_clean and finding.what.startswith("The NG photos have no masks")


def test_mixed_sizes_and_pictures_without_a_place_are_remarked(data: Path) -> None:
    images.write(data / "train/good/large.png", scene(100, (96, 144)))
    images.write(data / "ground_truth/dent/9_mask.png", mask())
    found, findings = look(data)
    assert found.is_clean
    assert findings == [
        Finding(
            False,
            "1 picture is left out, as nothing says what to do with it (1 in ground_truth/dent); name folders "
            "that belong to the set with --ok-name or --ng-name.",
            ("ground_truth/dent/9_mask.png",),
        ),
        Finding(False, "2 different photo sizes (width x height)", ("72 x 48: 13", "144 x 96: 1")),
    ]


def test_unlabelled_photos_are_remarked(data: Path) -> None:
    images.write(data / "test/loose.png", scene(100))
    found = datasets.verify(datasets.read(data, "folder"))
    assert [finding.what for finding in found.findings] == ["1 photo labelled neither OK nor NG, and so not used"]


def test_the_dictionary_is_plain_json_with_relative_paths(data: Path) -> None:
    images.write(data / "test/good/same.bmp", images.read(data / "train/good/0.png"))
    found, _ = look(data)
    said = json.loads(json.dumps(found.to_dict()))
    assert said["is_clean"] is False and said["layout"] == "mvtec"
    assert said["identical"] == [["test/good/same.bmp", "train/good/0.png"]]
    assert said["sizes"] == [{"height": 48, "width": 72, "photos": 14}]
    assert said["findings"][0]["is_problem"] is True
