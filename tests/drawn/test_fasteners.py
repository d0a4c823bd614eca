"""The drawn fasteners: what the demo and other tests take for granted of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from andon import images
from andon.drawn._solids import Kind
from andon.drawn.fasteners import DEFECTS, KINDS, Defect, draw_fastener, draw_fasteners, draw_shadowed
from andon.errors import ConfigError
from andon.types import Mask, RgbImage

SIZE = (384, 512)


class Pair(NamedTuple):
    """The same scene, sound and damaged."""

    sound: RgbImage
    sound_part: Mask
    damaged: RgbImage
    damaged_part: Mask
    defect: Mask


@pytest.fixture(scope="module")
def pairs() -> dict[tuple[Kind, Defect], Pair]:
    drawn = {}
    for kind in KINDS:
        sound, sound_part, _ = draw_fastener(np.random.default_rng(5), kind=kind, defect=None)
        for defect in DEFECTS:
            drawn[kind, defect] = Pair(
                sound, sound_part, *draw_fastener(np.random.default_rng(5), kind=kind, defect=defect)
            )
    return drawn


@pytest.fixture(scope="module")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fasteners")
    draw_fasteners(root, n_train=2, n_calibration=1, n_test=10, seed=3)
    return root


every_damage = pytest.mark.parametrize(("kind", "defect"), [(kind, defect) for kind in KINDS for defect in DEFECTS])


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.png"))}


def change(pair: Pair) -> np.ndarray:
    return np.abs(pair.damaged.astype(int) - pair.sound).max(axis=2)


@pytest.mark.slow
def test_the_set_has_the_mvtec_layout(small_set: Path) -> None:
    expected = {"train/good/000.png", "train/good/001.png", "validation/good/000.png"}
    expected |= {f"test/good/{number:03d}.png" for number in range(5)}
    expected |= {f"test/{defect}/000.png" for defect in DEFECTS}
    expected |= {f"ground_truth/{defect}/000_mask.png" for defect in DEFECTS}
    assert set(files(small_set)) == expected


@pytest.mark.slow
def test_photos_and_masks_have_one_size_that_is_not_square(small_set: Path) -> None:
    shapes = {name: images.read(small_set / name).shape for name in files(small_set)}
    assert len(shapes) == 18 and set(shapes.values()) == {(*SIZE, 3)}


def test_masks_are_black_and_white_and_not_empty(small_set: Path) -> None:
    masks = {path: set(np.unique(images.read(path))) for path in small_set.glob("ground_truth/*/*.png")}
    assert len(masks) == len(DEFECTS) and all(values == {0, 255} for values in masks.values())


def test_the_same_seed_gives_the_same_files_and_a_larger_set_begins_with_a_smaller(
    small_set: Path, tmp_path: Path
) -> None:
    draw_fasteners(tmp_path, n_train=1, n_calibration=0, n_test=2, seed=3)
    again, before = files(tmp_path), files(small_set)
    assert len(again) == 4
    assert all(before[name] == data for name, data in again.items())


def test_another_seed_gives_other_photos(small_set: Path, tmp_path: Path) -> None:
    draw_fasteners(tmp_path, n_train=1, n_calibration=0, n_test=0, seed=4)
    assert (tmp_path / "train/good/000.png").read_bytes() != (small_set / "train/good/000.png").read_bytes()


def test_no_photo_occurs_twice(small_set: Path) -> None:
    photos = [data for name, data in files(small_set).items() if not name.startswith("ground_truth")]
    assert len(set(photos)) == len(photos)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_sound_part_lies_wholly_in_the_photo_and_has_no_defect(kind: Kind, seed: int) -> None:
    photo, part, defect = draw_fastener(np.random.default_rng(seed), kind=kind, defect=None)
    assert photo.shape == (*SIZE, 3)
    assert photo.dtype == np.uint8
    assert part.shape == defect.shape == SIZE
    assert 0.03 < part.mean() < 0.35
    assert not (part[0].any() or part[-1].any() or part[:, 0].any() or part[:, -1].any())
    assert not defect.any()


@pytest.mark.slow
@every_damage
def test_outside_its_mask_a_damaged_part_is_as_it_was(
    pairs: dict[tuple[Kind, Defect], Pair], kind: Kind, defect: Defect
) -> None:
    pair = pairs[kind, defect]
    within_lens_blur = cv2.dilate(pair.defect.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert change(pair)[~within_lens_blur].max() <= 1


@pytest.mark.slow
@every_damage
def test_within_its_mask_a_damaged_part_looks_different(
    pairs: dict[tuple[Kind, Defect], Pair], kind: Kind, defect: Defect
) -> None:
    pair = pairs[kind, defect]
    changed = change(pair)[pair.defect]
    assert (changed > 6).mean() > 0.5
    assert np.percentile(changed, 90) > 30


@every_damage
def test_a_defect_is_one_place_on_the_part(pairs: dict[tuple[Kind, Defect], Pair], kind: Kind, defect: Defect) -> None:
    pair = pairs[kind, defect]
    regions = cv2.connectedComponents(pair.defect.astype(np.uint8))[0] - 1
    assert 1 <= regions <= 3
    assert 800 < pair.defect.sum() < 0.12 * pair.defect.size
    assert pair.defect[pair.sound_part | pair.damaged_part].sum() > 0.4 * pair.defect.sum()


@pytest.mark.parametrize("kind", KINDS)
def test_rust_is_orange_brown_and_uneven(pairs: dict[tuple[Kind, Defect], Pair], kind: Kind) -> None:
    pair = pairs[kind, "rust"]
    core = cv2.erode(pair.defect.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    lightness, a, b = cv2.cvtColor(pair.damaged.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[core].T
    rusty = np.hypot(a, b) > 15
    assert rusty.mean() > 0.5
    assert 40 < np.degrees(np.arctan2(np.median(b[rusty]), np.median(a[rusty]))) < 80
    assert np.median(lightness[rusty]) < 55
    assert lightness[rusty].std() > 6
    sound = cv2.cvtColor(pair.sound.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[pair.sound_part]
    assert np.abs(np.median(sound[:, 1:], axis=0)).max() < 8


def test_a_bend_moves_the_part_and_a_break_takes_some_away(pairs: dict[tuple[Kind, Defect], Pair]) -> None:
    bent, broken = pairs["screw", "deformation"], pairs["screw", "missing_piece"]
    assert (bent.damaged_part & ~bent.sound_part).sum() > 300
    assert (broken.sound_part & ~broken.damaged_part).sum() > 300
    assert (broken.damaged_part & ~broken.sound_part).sum() < 30


def test_an_unknown_kind_or_defect_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'bolt'"):
        draw_fastener(np.random.default_rng(0), kind="bolts", defect=None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'rust'"):
        draw_fastener(np.random.default_rng(0), kind="nut", defect="rusty")  # type: ignore[arg-type]


def test_a_photo_takes_a_fraction_of_a_second() -> None:
    started = time.process_time()
    draw_fastener(np.random.default_rng(2), kind="bolt", defect=None)
    assert time.process_time() - started < 1


def test_a_shadow_falls_away_from_the_lamp() -> None:
    """A lamp at 0 degrees stands on the right, so that the ground is darker to the left of the part."""
    for lamp_side, darker in ((0.0, "left"), (180.0, "right")):
        photo, part, _ = draw_fastener(
            np.random.default_rng(4), kind="nut", defect=None, ground="light", lamp_side=lamp_side
        )
        columns = np.flatnonzero(part.any(axis=0))
        rows = slice(int(np.flatnonzero(part.any(axis=1))[0]), int(np.flatnonzero(part.any(axis=1))[-1]))
        left = photo[rows, columns[0] - 40 : columns[0] - 10].mean()
        right = photo[rows, columns[-1] + 10 : columns[-1] + 40].mean()
        assert (left < right - 15) == (darker == "left")
        assert (right < left - 15) == (darker == "right")


def test_a_set_with_shadows_has_one_kind_of_part_in_the_mvtec_layout(tmp_path: Path) -> None:
    draw_shadowed(tmp_path, kind="nut", n_train=1, n_test=2, seed=1)
    assert set(files(tmp_path)) == {
        "train/good/000.png",
        "test/good/000.png",
        "test/rust/000.png",
        "ground_truth/rust/000_mask.png",
    }
