"""The drawn canisters: what the recipe's benchmark and other tests take for granted of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from andon import datasets, images
from andon.drawn.canisters import DEFECTS, Defect, draw_canister, draw_canisters
from andon.errors import ConfigError
from andon.types import Mask, RgbImage

SIZE = (576, 432)


class Drawn(NamedTuple):
    """One photo, where the canister is, and where the damage shows."""

    photo: RgbImage
    part: Mask
    defect: Mask


@pytest.fixture(scope="module")
def sound() -> Drawn:
    return Drawn(*draw_canister(np.random.default_rng(5), defect=None))


@pytest.fixture(scope="module")
def damaged() -> dict[Defect, Drawn]:
    """The same scene as `sound`."""
    return {defect: Drawn(*draw_canister(np.random.default_rng(5), defect=defect)) for defect in DEFECTS}


@pytest.mark.slow
def test_the_set_is_read_as_mvtec_with_masks_and_says_where_each_canister_is(tmp_path: Path) -> None:
    draw_canisters(tmp_path, n_train=1, n_test=1, n_damaged=1, seed=3)
    samples = datasets.read(tmp_path).samples
    assert [(sample.split, sample.defect) for sample in samples] == [("train", None), ("test", "dent"), ("test", None)]
    assert samples[1].masks and images.read_mask(samples[1].masks[0]).any()
    for sample in samples:
        assert images.read(sample.path).shape == (*SIZE, 3)
        name = sample.path.relative_to(tmp_path).with_name(f"{sample.path.stem}_mask.png")
        assert 0.05 < images.read_mask(tmp_path / "object_masks" / name).mean() < 0.4
    first = (tmp_path / "train/good/000.png").read_bytes()
    draw_canisters(tmp_path / "again", n_train=1, n_test=0, n_damaged=0, seed=3)
    assert (tmp_path / "again/train/good/000.png").read_bytes() == first


def test_a_sound_canister_stands_wholly_in_the_photo(sound: Drawn) -> None:
    assert sound.photo.shape == (*SIZE, 3) and sound.photo.dtype == np.uint8
    assert not (sound.part[0].any() or sound.part[-1].any() or sound.part[:, 0].any() or sound.part[:, -1].any())
    assert cv2.connectedComponents(sound.part.astype(np.uint8))[0] == 2
    rows, columns = np.nonzero(sound.part)
    assert np.ptp(rows) > 1.8 * np.ptp(columns)
    assert not sound.defect.any()


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS)
def test_damage_shows_in_its_mask_and_leaves_the_rest_of_the_canister(
    sound: Drawn, damaged: dict[Defect, Drawn], defect: Defect
) -> None:
    change = np.abs(damaged[defect].photo.astype(int) - sound.photo).max(axis=2)
    mask = damaged[defect].defect
    assert 400 < mask.sum() < 0.5 * sound.part.sum()
    assert np.percentile(change[mask], 75) > 15
    within_lens_blur = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.percentile(change[sound.part & ~within_lens_blur], 99.5) < 10


@pytest.mark.slow
def test_the_outline_moves_where_the_shape_does(sound: Drawn, damaged: dict[Defect, Drawn]) -> None:
    assert np.array_equal(damaged["scratch"].part, sound.part)
    assert (damaged["tilt"].part & ~sound.part).sum() > 300
    assert not (damaged["missing_valve"].part & ~sound.part).any()
    top = np.nonzero(sound.part)[0].min()
    assert np.nonzero(damaged["missing_valve"].part)[0].min() > top + 0.1 * np.ptp(np.nonzero(sound.part)[0])


def test_an_unknown_defect_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'dent'"):
        draw_canister(np.random.default_rng(0), defect="dents")  # type: ignore[arg-type]
