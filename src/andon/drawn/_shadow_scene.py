"""A scene for masks to fail on: a blackened or bright part at any angle, a soft shadow beside it, nearly from above."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from andon.drawn._fastener_scene import SIZE, Pose, Scene, lying, rotation, vector
from andon.drawn._metal import Finish, Room
from andon.drawn._noise import noise
from andon.drawn._solids import Floats, Kind

Ground = Literal["light", "dark"]

ZOOM: dict[Kind, float] = {"nut": 110, "bolt": 72, "screw": 56}  # pixels per thread diameter; any angle fits the photo
HARDNESS = (1.2, 2.2)  # of the shadow's edge, where a bench's lamp has 4
SHIFT = 18  # pixels that a part lies from the middle, at most


def shadowed_scene(rng: np.random.Generator, kind: Kind, ground: Ground, side: float | None = None) -> Scene:
    """A dark part on a light ground, or a bright one on a dark ground, at any angle under a low and large lamp.

    Args:
        side: direction in degrees in which the lamp stands; any where None.
    """
    zoom = ZOOM[kind] * rng.uniform(0.97, 1.03)
    azimuth = math.radians(rng.uniform(0, 360) if side is None else side + rng.uniform(-15, 15))
    elevation = math.radians(rng.uniform(32, 46))
    level = math.cos(elevation)
    backdrop = _plain(rng, ground)
    return Scene(
        kind=kind,
        pose=_any_pose(rng, kind, SHIFT / zoom),
        zoom=zoom,
        tilt=math.radians(rng.uniform(2, 8)),
        room=Room(
            lamp=vector(level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)),
            colour=vector(1, 1, 1),
            floor=backdrop.mean(axis=(0, 1)),
        ),
        finish=_blackened(rng) if ground == "light" else _bright(rng),
        backdrop=backdrop,
        grain_seed=int(rng.integers(2**31)),
        hardness=rng.uniform(*HARDNESS),
    )


def _any_pose(rng: np.random.Generator, kind: Kind, shift: float) -> Pose:
    return lying(kind, rotation(2, rng.uniform(0, 2 * math.pi)), rng.uniform(0, 2 * math.pi), rng, shift)


def _plain(rng: np.random.Generator, ground: Ground) -> Floats:
    """An even ground with a little grain, lighter or darker to one side, (H, W, 3) linear RGB."""
    grain = 1 + 0.01 * noise(rng, SIZE, 3, octaves=2) + 0.03 * noise(rng, SIZE, 260)
    value = (rng.uniform(0.55, 0.65) if ground == "light" else rng.uniform(0.05, 0.07)) * grain
    return np.repeat(np.maximum(value, 0.01)[:, :, None], 3, axis=2).astype(np.float32)


def _blackened(rng: np.random.Generator) -> Finish:
    colour = rng.uniform(0.9, 1.1) * np.array([0.14, 0.14, 0.145], dtype=np.float32)
    return Finish(colour=colour, softness=rng.uniform(0.17, 0.21), brushing=0.02, spangle=0.05)


def _bright(rng: np.random.Generator) -> Finish:
    colour = rng.uniform(0.95, 1.05) * np.array([0.72, 0.72, 0.72], dtype=np.float32)
    return Finish(colour=colour, softness=rng.uniform(0.17, 0.21), brushing=0.02, spangle=0.04)
