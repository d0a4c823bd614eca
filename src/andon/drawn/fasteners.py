"""A drawn data set: photos of nuts, bolts and screws, sound and damaged, with exact ground truth.

Nothing is downloaded and nothing was photographed: the parts are solids that a camera sees under a lamp. The set serves
the demo and the tests, which need photos with known answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np

from andon import images, plugins
from andon.drawn import _fastener_damage as damage
from andon.drawn import _fastener_marks as marks
from andon.drawn._difference import changed, disc
from andon.drawn._fastener_scene import SETTINGS, Picture, Scene, develop, random_scene
from andon.drawn._shadow_scene import Ground, shadowed_scene
from andon.drawn._solids import PARTS, Kind
from andon.errors import ConfigError
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.types import Mask, RgbImage

Defect = Literal["rust", "scratch", "damaged_thread", "deformation", "missing_piece"]

KINDS: tuple[Kind, ...] = get_args(Kind)
DEFECTS: tuple[Defect, ...] = get_args(Defect)
N_SETTINGS = len(SETTINGS)
FEATHER = 6  # pixels over which the changed picture is blended in, so that a moved shadow leaves no seam


@dataclass(frozen=True, kw_only=True)
class _Photo:
    """A photo to be drawn; `random_key` makes it independent of how many others there are."""

    folder: str
    index: int
    kind: Kind
    setting: int
    defect: Defect | None
    random_key: tuple[int, int, int]
    ground: Ground | None = None
    lamp_side: float | None = None


def draw_fasteners(root: Path, *, n_train: int = 60, n_calibration: int = 25, n_test: int = 40, seed: int = 0) -> None:
    """Write a set of photos of 384 x 512 pixels in the MVTec layout, over whatever files of these names are there.

    The folders are train/good, validation/good (the calibration photos), test/good, test/<defect> and
    ground_truth/<defect>. Half of the test photos are OK, the rest is spread over the defects; kinds, tables and
    finishes take turns. The same seed gives the same files, and a larger set begins with the photos of a smaller one.
    """
    n_damaged = n_test // 2
    photos = [
        *_good("train/good", n_train, (seed, 0)),
        *_good("validation/good", n_calibration, (seed, 1)),
        *_good("test/good", n_test - n_damaged, (seed, 2)),
        *_damaged(n_damaged, (seed, 3)),
    ]
    for _ in track(ordered_map(partial(_draw, root), photos), "drawing", total=len(photos)):
        pass


def draw_shadowed(
    root: Path,
    *,
    kind: Kind,
    ground: Ground = "light",
    lamp_side: float | None = None,
    n_train: int = 40,
    n_test: int = 40,
    seed: int = 0,
) -> None:
    """`draw_fasteners`, of one kind of part that lies at any angle with a soft shadow beside it.

    There are no calibration photos.

    Args:
        ground: "light" below dark parts, "dark" below bright ones.
        lamp_side: direction in degrees in which the lamp stands, +- 15; any where None.
    """
    n_damaged = n_test // 2
    photos = [
        *_good("train/good", n_train, (seed, 0)),
        *_good("test/good", n_test - n_damaged, (seed, 2)),
        *_damaged(n_damaged, (seed, 3)),
    ]
    photos = [replace(photo, kind=kind, ground=ground, lamp_side=lamp_side) for photo in photos]
    for _ in track(ordered_map(partial(_draw, root), photos), "drawing", total=len(photos)):
        pass


def draw_fastener(
    rng: np.random.Generator,
    *,
    kind: Kind,
    defect: Defect | None,
    setting: int | None = None,
    ground: Ground | None = None,
    lamp_side: float | None = None,
) -> tuple[RgbImage, Mask, Mask]:
    """One photo (H, W, 3) uint8 RGB; where the part is (H, W) bool; where the defect is (H, W) bool.

    Generators in the same state draw the same scene with the same noise whatever the defect: the photos differ only
    within the defect's mask and the two pixels around it into which the lens blurs.

    Args:
        setting: which of the N_SETTINGS combinations of table and finish; a random one where None.
        ground: "light" or "dark" draws a part at any angle with a soft shadow instead, see `draw_shadowed`.
        lamp_side: of such a photo, in degrees.

    Raises:
        ConfigError: there is no such kind or defect.
    """
    _check("kind of fastener", kind, KINDS)
    if defect is not None:
        _check("defect", defect, DEFECTS)
    scene_rng, damage_rng, noise_rng = (np.random.default_rng(child) for child in rng.integers(2**63, size=3))
    if ground is not None:
        scene = shadowed_scene(scene_rng, kind, ground, lamp_side)
    else:
        scene = random_scene(scene_rng, kind, int(scene_rng.integers(N_SETTINGS)) if setting is None else setting)
    sound = scene.photograph(PARTS[kind])
    if defect is None:
        return develop(sound.linear, noise_rng), sound.part, np.zeros_like(sound.part)
    damaged = _damage(scene, sound, defect, damage_rng)
    feather = 1 if defect in ("rust", "scratch") else FEATHER
    part = sound.part | damaged.part
    mask = cv2.dilate(changed(sound.linear, damaged.linear, part), disc(feather))
    share = np.minimum(cv2.distanceTransform(mask, cv2.DIST_L2, 3) / feather, 1)[:, :, None]
    linear = sound.linear + share * (damaged.linear - sound.linear)
    return develop(linear, noise_rng), damaged.part, mask.astype(bool)


def _draw(root: Path, photo: _Photo) -> None:
    """Write the photo and, where it has a defect, its mask."""
    rng = np.random.default_rng(photo.random_key)
    image, _, defect = draw_fastener(
        rng,
        kind=photo.kind,
        defect=photo.defect,
        setting=photo.setting,
        ground=photo.ground,
        lamp_side=photo.lamp_side,
    )
    images.write(root / photo.folder / f"{photo.index:03d}.png", image)
    if photo.defect:
        mask = np.repeat(defect[:, :, None] * np.uint8(255), 3, axis=2)
        images.write(root / "ground_truth" / photo.defect / f"{photo.index:03d}_mask.png", mask)


def _good(folder: str, count: int, key: tuple[int, int]) -> list[_Photo]:
    return [_photo(folder, number, number, None, key) for number in range(count)]


def _damaged(count: int, key: tuple[int, int]) -> list[_Photo]:
    """Every defect on every kind in turn: the numbers of kinds and of defects have no common divisor."""
    photos = []
    for number in range(count):
        index, which = divmod(number, len(DEFECTS))
        photos.append(_photo(f"test/{DEFECTS[which]}", index, number, DEFECTS[which], key))
    return photos


def _photo(folder: str, index: int, number: int, defect: Defect | None, key: tuple[int, int]) -> _Photo:
    """The photo that is number `index` of its folder and `number` of those with this key."""
    setting, kind = divmod(number, len(KINDS))
    return _Photo(
        folder=folder,
        index=index,
        kind=KINDS[kind],
        setting=setting % N_SETTINGS,
        defect=defect,
        random_key=(*key, number),
    )


def _check(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ConfigError(f"There is no {what} {name!r}; {plugins.suggestion(name, list(known))}")


def _damage(scene: Scene, sound: Picture, defect: Defect, rng: np.random.Generator) -> Picture:
    """The same scene with the part damaged."""
    kind, viewer = scene.kind, scene.viewer
    match defect:
        case "rust":
            colours = marks.rust(scene, sound.surface, sound.colours, rng)
            return scene.compose(PARTS[kind], sound.surface, colours)
        case "scratch":
            colours = marks.scratch(scene, sound.surface, sound.colours, rng)
            return scene.compose(PARTS[kind], sound.surface, colours)
        case "damaged_thread":
            return scene.photograph(damage.damaged_thread(kind, viewer, rng))
        case "deformation":
            return scene.photograph(damage.deformation(kind, viewer, rng))
        case "missing_piece":
            broken = damage.missing_piece(kind, viewer, rng)
            surface = scene.look_at(broken)
            colours = marks.fracture(scene, surface, scene.shade(surface), PARTS[kind], rng)
            return scene.compose(broken, surface, colours)
