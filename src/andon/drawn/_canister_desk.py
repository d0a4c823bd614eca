"""The cluttered desk around a canister: things that lie and stand on it, and the wall behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from andon.drawn._backdrop import BACKDROPS
from andon.drawn._metal import Room, noise_on
from andon.drawn._noise import fibres, noise
from andon.drawn._solids import Floats, Solid, smooth_max
from andon.drawn._trace import Camera, trace

COLOURS = np.array(  # black, brick red, navy, ochre, bottle green, cardboard, grey, clay, cream
    [
        [0.04, 0.04, 0.045],
        [0.26, 0.06, 0.05],
        [0.05, 0.10, 0.20],
        [0.40, 0.30, 0.09],
        [0.06, 0.15, 0.09],
        [0.32, 0.21, 0.12],
        [0.20, 0.21, 0.22],
        [0.40, 0.26, 0.19],
        [0.55, 0.52, 0.45],
    ],
    dtype=np.float32,
)
FOCUS = 0.9  # sigma in pixels of the blur of what stands around


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something on the desk.

    Attributes:
        solid: in the room's coordinates.
        colour: (3,) linear RGB.
    """

    solid: Solid
    colour: Floats


def desk(rng: np.random.Generator, camera: Camera) -> Floats:
    """The top of a desk as `camera` sees it, evenly lit, (H, W, 3) linear RGB."""
    height, width = camera.size
    flat = rng.choice(np.array([*BACKDROPS, wood], dtype=object))(rng, (round(height / math.cos(camera.tilt)), width))
    return np.asarray(cv2.resize(flat, (width, height), interpolation=cv2.INTER_AREA))


def wood(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """A wooden desk."""
    grain = 0.5 * fibres(rng, size, 180) + 0.8 * noise(rng, (size[0], 8), 9, octaves=3)[:, :1]
    value = 0.30 + 0.03 * grain + 0.02 * noise(rng, size, 200)
    return np.maximum(value, 0.02)[:, :, None] * np.array([1.25, 0.85, 0.5], dtype=np.float32)


def wall(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """What is behind the desk, out of focus: a wall with shelves, files and frames on it, (H, W, 3) linear RGB."""
    height, width = size
    picture = np.ones((height, width, 3), np.float32) * rng.uniform(0.25, 0.5) * rng.uniform(0.9, 1.1, 3)
    picture = np.asarray(picture, dtype=np.float32)
    for _ in range(int(rng.integers(5, 10))):
        x, y = int(rng.integers(-40, width)), int(rng.integers(-40, height // 2))
        w, h = int(rng.integers(15, 110)), int(rng.integers(40, 170))
        cv2.rectangle(picture, (x, y), (x + w, y + h), rng.choice(COLOURS).tolist(), cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(4, 8)))


def clutter(rng: np.random.Generator, clear: float, back: float, count: int) -> list[Thing]:
    """Things on a desk that ends at y = `back`, the furthest first; none hides what stands at the origin.

    They keep `clear` from it, and those before it lie flat and to its sides.
    """
    placed = []
    for _ in range(count):
        solid, reach, is_flat = SHAPES[int(rng.integers(len(SHAPES)))](rng)
        y = rng.uniform(-6 if is_flat else 0.5, back - reach)
        x = rng.choice([-1, 1]) * (clear + reach + rng.uniform(0, 2))
        if y > clear + reach and rng.random() < 0.5:
            x = rng.uniform(-2.5, 2.5)
        thing = Thing(
            solid=_standing(solid, rng.uniform(0, math.pi), float(x), float(y)),
            colour=rng.choice(COLOURS) * rng.uniform(0.7, 1.2),
        )
        placed.append((y, thing))
    return [thing for _, thing in sorted(placed, key=lambda pair: -pair[0])]


def draw(things: list[Thing], picture: Floats, camera: Camera, room: Room, rng: np.random.Generator) -> Floats:
    """The picture (H, W, 3) of the desk with the things on it, as `camera` sees them."""
    layer = np.zeros((*camera.size, 4), np.float32)
    pixels = layer.reshape(-1, 4)
    for thing in things:
        surface = trace(thing.solid, camera, tallest=4.0)
        worn = 1 + 0.04 * noise_on(surface, camera, rng, 14, octaves=3)
        light = room.diffuse(surface.normals) * (0.25 + 0.75 * surface.openness)
        facing: Floats = np.clip(camera.towards @ surface.normals, 0.02, 1)
        reflected = 2 * facing * surface.normals - camera.towards[:, None]
        gloss = (0.04 + 0.5 * (1 - facing) ** 5) * room.mirrored(reflected, 0.2)
        pixels[surface.pixels, :3] = (thing.colour[:, None] * light * worn + 0.6 * gloss).T
        pixels[surface.pixels, 3] = 1
    blurred = np.asarray(cv2.GaussianBlur(layer, (0, 0), FOCUS), dtype=np.float32)
    return blurred[:, :, :3] + (1 - blurred[:, :, 3:]) * picture


def _standing(solid: Solid, angle: float, x: float, y: float) -> Solid:
    cosine, sine = math.cos(angle), math.sin(angle)

    def placed(points: Floats) -> Floats:
        dx, dy = points[0] - x, points[1] - y
        return solid(np.stack([cosine * dx + sine * dy, cosine * dy - sine * dx, points[2]]))

    return placed


Shape = tuple[Solid, float, bool]  # the solid around the z axis, its reach from there, and whether it lies flat


def _mug(rng: np.random.Generator) -> Shape:
    radius, height = rng.uniform(0.6, 0.85), rng.uniform(1.3, 1.8)

    def mug(points: Floats) -> Floats:
        x, y, z = points
        round_ = np.hypot(x, y)
        wall = smooth_max(round_ - radius, np.abs(z - height / 2) - height / 2, 0.1)
        hollow = np.maximum(round_ - radius + 0.1, 0.15 - z)
        handle = np.hypot(np.hypot(x - radius, z - height / 2) - 0.35, y) - 0.09
        both: Floats = np.minimum(np.maximum(wall, -hollow), np.maximum(handle, radius - round_))
        return both

    return mug, radius + 0.45, False


def _carton(rng: np.random.Generator) -> Shape:
    half = rng.uniform(0.5, 1.2, 2)
    return partial(_block, half=half, height=rng.uniform(0.6, 2.6), edge=0.05), float(np.hypot(*half)), False


def _book(rng: np.random.Generator) -> Shape:
    half = rng.uniform([0.9, 0.6], [1.4, 1.0])
    return partial(_block, half=half, height=rng.uniform(0.12, 0.35), edge=0.04), float(np.hypot(*half)), True


def _pen(rng: np.random.Generator) -> Shape:
    half, radius = rng.uniform(0.9, 1.5), rng.uniform(0.07, 0.11)

    def pen(points: Floats) -> Floats:
        x, y, z = points
        return smooth_max(np.hypot(y, z - radius) - radius, np.abs(x) - half, 0.05)

    return pen, half, True


def _tape(rng: np.random.Generator) -> Shape:
    radius, height = rng.uniform(0.5, 0.7), rng.uniform(0.3, 0.5)

    def tape(points: Floats) -> Floats:
        x, y, z = points
        across = np.abs(np.hypot(x, y) - radius) - 0.16
        return smooth_max(across, np.abs(z - height / 2) - height / 2, 0.04)

    return tape, radius + 0.2, True


def _block(points: Floats, half: Floats, height: float, edge: float) -> Floats:
    x, y, z = points
    sides = smooth_max(np.abs(x) - half[0], np.abs(y) - half[1], edge)
    return smooth_max(sides, np.abs(z - height / 2) - height / 2, edge)


SHAPES: tuple[Callable[[np.random.Generator], Shape], ...] = (_mug, _carton, _book, _pen, _tape)
