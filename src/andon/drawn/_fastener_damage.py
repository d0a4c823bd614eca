"""Damage to the shape of a part: each function gives the damaged part as a solid in the part's own coordinates.

`viewer` is the unit vector (3,) from the part to the camera in these coordinates, so that the damage is where it can
be seen.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from andon.drawn._solids import (
    BOLT_LENGTH,
    HEAD_HEIGHT,
    HEX_WIDTH,
    METRIC,
    NUT_HEIGHT,
    PARTS,
    SCREW_LENGTH,
    WOOD,
    Floats,
    Kind,
    Solid,
    Thread,
    smooth_max,
)

HEX_CORNER = HEX_WIDTH / math.sqrt(3)  # from the axis
AXIS = np.array([1, 0, 0], dtype=np.float32)
N_WAVES = 9


@dataclass(frozen=True, kw_only=True)
class TornThread(Thread):
    """A thread of which a few turns have lost their crests and have their grooves smeared full, on one side.

    Attributes:
        middle: of the torn place, along the axis.
        reach: of the torn place to either side of `middle`.
        angle: of the torn place around the axis.
        bumps: unevenness of about +-1, as `_bumps` gives it.
    """

    middle: float
    reach: float
    angle: float
    bumps: Solid

    def height(self, along: Floats, angle: Floats) -> Floats:
        """See `Thread.height`."""
        sound = super().height(along, angle)
        bumps = self.bumps(np.stack([along, 0.5 * np.cos(angle), 0.5 * np.sin(angle)]))
        this_side = 1.6 * (np.cos(angle - self.angle) - 0.1)
        these_turns = 4 * (1 - np.abs(along - self.middle) / self.reach)
        torn: Floats = np.clip(np.minimum(this_side, these_turns) + 0.4 * bumps, 0, 1)
        return sound + torn * (self.depth * (0.5 + 0.3 * bumps) - sound)


def damaged_thread(kind: Kind, viewer: Floats, rng: np.random.Generator) -> Solid:
    """A few turns torn on the side that the camera sees."""
    side = -viewer if kind == "nut" else viewer  # of a nut's bore one sees the far wall
    middle = {"nut": 0.1, "bolt": rng.uniform(1.5, 2.3), "screw": rng.uniform(2.4, 3.2)}[kind]
    thread = TornThread(
        **asdict(WOOD if kind == "screw" else METRIC),
        middle=middle,
        reach={"nut": 0.4, "bolt": 0.42, "screw": 0.7}[kind],
        angle=math.atan2(side[2], side[1]),
        bumps=_bumps(rng, wavelength=0.6),
    )
    return partial(PARTS[kind], thread=thread)


def deformation(kind: Kind, viewer: Floats, rng: np.random.Generator) -> Solid:
    """The shank bent, or a corner of the hexagon knocked in."""
    if _at_shank(kind, rng):
        return _bent(kind, viewer, rng)
    corner = _corner(kind, rng)
    blow_from = _unit(_unit(corner) + 0.6 * viewer)
    top = corner + NUT_HEIGHT / 2 * AXIS if kind == "nut" else corner
    return _knocked_in(PARTS[kind], top, blow_from, depth=0.34)


def missing_piece(kind: Kind, viewer: Floats, rng: np.random.Generator) -> Solid:
    """A corner of the hexagon or the end of the shank broken off along a rough, slanting face."""
    upwards = _unit(viewer * [0, 1, 1])
    if _at_shank(kind, rng):
        end = SCREW_LENGTH - 1.0 if kind == "screw" else BOLT_LENGTH - 0.5
        return _broken(PARTS[kind], 0.7 * AXIS + upwards, end * AXIS, rng)
    corner = _corner(kind, rng)
    if kind == "nut":
        return _broken(PARTS[kind], corner + 0.7 * AXIS, 0.8 * corner, rng)
    return _broken(PARTS[kind], corner + 0.5 * upwards, 0.68 * corner, rng)


def _bent(kind: Kind, viewer: Floats, rng: np.random.Generator) -> Solid:
    """The part with its shank bent aside as the camera sees it, by a blow that has left its mark."""
    solid = PARTS[kind]
    start = rng.uniform(2.1, 2.4) if kind == "bolt" else rng.uniform(3.0, 3.4)
    aside = rng.choice([-1, 1]) * rng.uniform(0.55, 0.65) * _unit(np.cross(AXIS, viewer))
    upwards = _unit(viewer * [0, 1, 1])

    def bent(points: Floats) -> Floats:
        beyond = points[0] - start
        shift = 0.5 * (beyond + np.sqrt(beyond * beyond + 0.002))
        stretched: Floats = 1 + 0.25 * np.clip(beyond + 0.2, 0, 1)  # as the bend leaves the distances beyond it
        return solid(points - aside[:, None] * shift) / stretched

    struck = start * AXIS + 0.45 * upwards + 0.2 * aside
    return _knocked_in(bent, struck, upwards, depth=0.20)


def _knocked_in(solid: Solid, place: Floats, blow_from: Floats, depth: float) -> Solid:
    """The solid with the print of a ball that struck at `place` from the direction `blow_from`."""
    radius = 0.5
    centre = (place + (radius - depth) * blow_from).astype(np.float32)[:, None]

    def knocked_in(points: Floats) -> Floats:
        x, y, z = points - centre
        ball = radius - np.sqrt(x * x + y * y + z * z)
        return smooth_max(solid(points), 0.9 * ball, 0.1)

    return knocked_in


def _broken(solid: Solid, normal: Floats, place: Floats, rng: np.random.Generator) -> Solid:
    """The solid without what lies beyond a rough plane through `place`."""
    direction = _unit(normal)
    bumps = _bumps(rng, wavelength=0.5)

    def broken(points: Floats) -> Floats:
        return np.maximum(solid(points), 0.8 * (direction @ points - direction @ place + 0.022 * bumps(points)))

    return broken


def _at_shank(kind: Kind, rng: np.random.Generator) -> bool:
    """Whether it is the shank that is damaged and not the hexagon; a bolt has both."""
    return kind == "screw" or (kind == "bolt" and rng.random() < 0.5)


def _corner(kind: Kind, rng: np.random.Generator) -> Floats:
    """A corner of the hexagon (3,) at half its height: any of a nut's, one of the upper two of a bolt's head."""
    sixth = rng.integers(6) if kind == "nut" else rng.integers(1, 3)
    angle = math.pi / 3 * sixth
    along = 0 if kind == "nut" else -HEAD_HEIGHT / 2
    return np.array([along, HEX_CORNER * math.cos(angle), HEX_CORNER * math.sin(angle)], dtype=np.float32)


def _bumps(rng: np.random.Generator, wavelength: float) -> Solid:
    """An uneven function of space of about +-1: a sum of plane waves, the longest of that wavelength."""
    directions = rng.standard_normal((N_WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    waves = 2 * math.pi / wavelength * np.geomspace(1, 6, N_WAVES)[:, None] * directions
    waves = waves.astype(np.float32)
    phases = rng.uniform(0, 2 * math.pi, size=(N_WAVES, 1)).astype(np.float32)
    weights = np.geomspace(0.7, 0.14, N_WAVES).astype(np.float32)
    return lambda points: weights @ np.cos(waves @ points + phases)


def _unit(vector: Floats) -> Floats:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
