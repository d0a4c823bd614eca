"""A drawn data set: photos of one kind of canister on cluttered desks, sound and damaged, with exact ground truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np

from andon import images, plugins
from andon.drawn._canister_scene import Picture, Scene, random_scene
from andon.drawn._canister_solids import Canister, Dent
from andon.drawn._difference import changed, disc
from andon.drawn._fastener_scene import develop
from andon.drawn._solids import Floats
from andon.errors import ConfigError
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.types import Mask, RgbImage

Defect = Literal["dent", "scratch", "tilt", "missing_valve"]
DEFECTS: tuple[Defect, ...] = get_args(Defect)
OBJECT_MASKS = "object_masks"
N_TRAIN, N_TEST, N_DAMAGED = 28, 12, 20


@dataclass(frozen=True, kw_only=True)
class _Photo:
    """A photo to be drawn; `random_key` makes it independent of how many others there are."""

    folder: str
    index: int
    defect: Defect | None
    random_key: tuple[int, int, int]


def draw_canisters(
    root: Path, *, n_train: int = N_TRAIN, n_test: int = N_TEST, n_damaged: int = N_DAMAGED, seed: int = 0
) -> None:
    """Write a set of photos of 576 x 432 pixels in the MVTec layout, over whatever files of these names are there.

    The folders are train/good, test/good, test/<defect> and ground_truth/<defect>, and beside the layout object_masks,
    which says for every photo where the canister is. The same seed gives the same files, and a larger set begins with
    the photos of a smaller one.
    """
    photos = [
        *(_Photo(folder="train/good", index=i, defect=None, random_key=(seed, 0, i)) for i in range(n_train)),
        *(_Photo(folder="test/good", index=i, defect=None, random_key=(seed, 1, i)) for i in range(n_test)),
        *(_damaged(number, seed) for number in range(n_damaged)),
    ]
    for _ in track(ordered_map(partial(_draw, root), photos), "drawing", total=len(photos)):
        pass


def draw_canister(rng: np.random.Generator, *, defect: Defect | None) -> tuple[RgbImage, Mask, Mask]:
    """One photo (H, W, 3) uint8 RGB; where the canister is (H, W) bool; where the damage shows (H, W) bool.

    Generators in the same state draw the same scene with the same noise whatever the defect. A missing valve leaves
    its mask where the valve would be seen.

    Raises:
        ConfigError: there is no such defect.
    """
    if defect is not None and defect not in DEFECTS:
        raise ConfigError(f"There is no defect {defect!r}; {plugins.suggestion(defect, list(DEFECTS))}")
    scene_rng, damage_rng, noise_rng = (np.random.default_rng(child) for child in rng.integers(2**63, size=3))
    scene = random_scene(scene_rng)
    sound = scene.photograph(Canister())
    if defect is None:
        return develop(sound.linear, noise_rng), sound.part, np.zeros_like(sound.part)
    damaged = _damage(scene, defect, damage_rng)
    mask = cv2.dilate(changed(sound.linear, damaged.linear, sound.part | damaged.part), disc(1))
    return develop(damaged.linear, noise_rng), damaged.part, mask.astype(bool)


def _draw(root: Path, photo: _Photo) -> None:
    """Write the photo, the mask of the canister and, where it has a defect, the mask of that."""
    image, part, defect = draw_canister(np.random.default_rng(photo.random_key), defect=photo.defect)
    images.write(root / photo.folder / f"{photo.index:03d}.png", image)
    images.write(root / OBJECT_MASKS / photo.folder / f"{photo.index:03d}_mask.png", _as_image(part))
    if photo.defect:
        images.write(root / "ground_truth" / photo.defect / f"{photo.index:03d}_mask.png", _as_image(defect))


def _as_image(mask: Mask) -> RgbImage:
    return np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2)


def _damaged(number: int, seed: int) -> _Photo:
    """The defects take turns."""
    index, which = divmod(number, len(DEFECTS))
    return _Photo(folder=f"test/{DEFECTS[which]}", index=index, defect=DEFECTS[which], random_key=(seed, 2, number))


def _damage(scene: Scene, defect: Defect, rng: np.random.Generator) -> Picture:
    """The same scene with the canister damaged where the camera sees it."""
    match defect:
        case "dent":
            return scene.photograph(Canister(dent=_dent(scene.viewer, rng)))
        case "scratch":
            return scene.photograph(Canister(), scratch_seed=int(rng.integers(2**31)))
        case "tilt":
            return scene.photograph(Canister(lean=_lean(scene.viewer, rng)))
        case "missing_valve":
            return scene.photograph(Canister(has_valve=False))


def _dent(viewer: Floats, rng: np.random.Generator) -> Dent:
    angle = math.atan2(viewer[2], viewer[1]) + rng.uniform(-0.7, 0.7)
    centre = np.array([rng.uniform(0.8, 3.0), math.cos(angle), math.sin(angle)], dtype=np.float32)
    return Dent(
        centre=centre,
        depth=rng.uniform(0.22, 0.30),
        half_height=rng.uniform(0.35, 0.6),
        half_width=rng.uniform(0.38, 0.5),
    )


def _lean(viewer: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """To the left or right of the picture, and a little to or from the camera."""
    aside = np.array([-viewer[2], viewer[1]]) / math.hypot(viewer[1], viewer[2])
    v, w = rng.choice([-1, 1]) * rng.uniform(0.35, 0.55) * aside + rng.uniform(-0.15, 0.15) * viewer[1:]
    return float(v), float(w)
