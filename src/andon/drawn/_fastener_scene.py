"""A scene: a part on a table, a camera above it, a lamp beside it; and the picture that the camera takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from andon.drawn._backdrop import BACKDROPS
from andon.drawn._metal import Finish, Room, brush, shade, steel, zinc
from andon.drawn._solids import (
    BOLT_LENGTH,
    HEAD_HEIGHT,
    HEX_WIDTH,
    NUT_HEIGHT,
    SCREW_HEAD_RADIUS,
    SCREW_LENGTH,
    Floats,
    Kind,
    Solid,
)
from andon.drawn._trace import Camera, Surface, table_light, trace
from andon.types import Mask, RgbImage

SIZE = (384, 512)
OVERSAMPLING = 1.5  # of the part, along each side, against stairs at its edges
SHADOW_SAMPLING = 0.375  # of the shadows on the table, which are soft
TALLEST = 2.0
ZOOM: dict[Kind, float] = {"nut": 124, "bolt": 82, "screw": 66}  # pixels per thread diameter
SETTINGS = tuple(product(BACKDROPS, (zinc, steel)))
TURN: dict[Kind, tuple[float, float]] = {"nut": (0, 180), "bolt": (30, 14), "screw": (135, 14)}  # degrees, +- degrees


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where a part's own coordinates (u, v, w) lie in the room's (x, y, z), z up from the table.

    Attributes:
        rotation: (3, 3), its columns are the part's axes in the room.
        position: (3,) of the part's origin.
    """

    rotation: Floats
    position: Floats

    def to_part(self, points: Floats) -> Floats:
        """Points (3, n) of the room in the part's own coordinates."""
        return self.rotation.T @ (points - self.position[:, None])

    def place(self, solid: Solid) -> Solid:
        """The solid, given in the part's own coordinates, in those of the room."""
        return lambda points: solid(self.to_part(points))


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What the camera sees, before it is developed.

    Attributes:
        surface: the visible surface of the part, n points.
        colours: (3, n) linear RGB of that surface.
        linear: (H, W, 3) linear RGB of part and table.
        part: (H, W) where the part is.
    """

    surface: Surface
    colours: Floats
    linear: Floats
    part: Mask


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything in a photo but the state of the part.

    Attributes:
        zoom: pixels of the photo per unit of length.
        tilt: of the camera from the vertical, in radians.
        backdrop: (H, W, 3) linear RGB of the table.
        grain_seed: of the metal's fine texture, so that every picture of the scene has the same.
        hardness: of the shadow's edge on the table.
    """

    kind: Kind
    pose: Pose
    zoom: float
    tilt: float
    room: Room
    finish: Finish
    backdrop: Floats
    grain_seed: int
    hardness: float = 4.0

    @property
    def fine_camera(self) -> Camera:
        """The camera that sees the part."""
        return self._camera(OVERSAMPLING)

    @property
    def viewer(self) -> Floats:
        """Unit vector (3,) from the part to the camera, in the part's own coordinates."""
        return self.pose.rotation.T @ self.fine_camera.towards

    def photograph(self, solid: Solid) -> Picture:
        """The picture of a solid of clean metal, given in the part's own coordinates."""
        surface = self.look_at(solid)
        return self.compose(solid, surface, self.shade(surface))

    def look_at(self, solid: Solid) -> Surface:
        """The visible surface of a solid, given in the part's own coordinates."""
        return trace(self.pose.place(solid), self.fine_camera, TALLEST)

    def shade(self, surface: Surface) -> Floats:
        """Linear RGB (3, n) of the surface if it is of clean metal."""
        rng = np.random.default_rng(self.grain_seed)
        rotation = self.pose.rotation
        brushed = rotation @ brush(self.pose.to_part(surface.points), rotation.T @ surface.normals, rng)
        return shade(surface, brushed, self.finish, self.room, self.fine_camera, rng)

    def compose(self, solid: Solid, surface: Surface, colours: Floats) -> Picture:
        """The picture of the solid on the table, its visible surface in the given colours (3, n)."""
        layer = np.zeros((math.prod(self.fine_camera.size), 4), dtype=np.float32)
        layer[surface.pixels, :3] = np.minimum(colours, 1.5).T  # a highlight must not outshine its pixel's neighbours
        layer[surface.pixels, 3] = 1
        part = cv2.resize(layer.reshape(*self.fine_camera.size, 4), SIZE[::-1], interpolation=cv2.INTER_AREA)
        lamp, ambient = table_light(
            self.pose.place(solid), self._camera(SHADOW_SAMPLING), TALLEST, self.room.lamp, self.hardness
        )
        light = cv2.resize(0.6 * lamp + 0.4 * ambient, SIZE[::-1])
        table = self.backdrop * light[:, :, None] * self.room.colour
        linear = part[:, :, :3] + (1 - part[:, :, 3:]) * table
        return Picture(surface=surface, colours=colours, linear=linear, part=part[:, :, 3] > 0.5)

    def _camera(self, scale: float) -> Camera:
        size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
        return Camera(tilt=self.tilt, zoom=self.zoom * scale, size=size)


def random_scene(rng: np.random.Generator, kind: Kind, setting: int) -> Scene:
    """A part of that kind in a random pose under a random light, both within what a fixed camera station allows.

    `setting` is the index in SETTINGS of the table and the part's finish.
    """
    draw_backdrop, draw_finish = SETTINGS[setting]
    zoom = ZOOM[kind] * rng.uniform(0.94, 1.06)
    backdrop = draw_backdrop(rng, SIZE)
    return Scene(
        kind=kind,
        pose=_random_pose(rng, kind, shift=22 / zoom),
        zoom=zoom,
        tilt=math.radians(rng.uniform(18, 24)),
        room=_random_room(rng, floor=backdrop.mean(axis=(0, 1))),
        finish=draw_finish(rng),
        backdrop=backdrop,
        grain_seed=int(rng.integers(2**31)),
    )


def develop(linear: Floats, rng: np.random.Generator) -> RgbImage:
    """The photo (H, W, 3) uint8 RGB of a linear picture: encoded, through a soft lens, with a little noise."""
    soft = cv2.GaussianBlur(encode(linear), (5, 5), 0.6)
    noisy = 255 * soft + 1.6 * rng.standard_normal((*linear.shape[:2], 1), dtype=np.float32)
    photo: RgbImage = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
    return photo


def encode(linear: Floats) -> Floats:
    """Linear RGB as a camera stores it, about [0, 1]: highlights rolled off, gamma, some contrast."""
    rolled = np.minimum(linear, 1 - 0.4 * np.exp((0.6 - np.maximum(linear, 0.6)) / 0.4))
    encoded = np.maximum(rolled, 0) ** (1 / 2.2)
    return encoded + 0.12 * (encoded - 0.5) * (1 - (2 * encoded - 1) ** 2)


def _random_room(rng: np.random.Generator, floor: Floats) -> Room:
    azimuth, elevation = math.radians(rng.uniform(95, 145)), math.radians(rng.uniform(52, 60))
    level, warmth = math.cos(elevation), rng.uniform(-0.04, 0.06)
    return Room(
        lamp=vector(level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)),
        colour=vector(1 + warmth, 1, 1 - warmth),
        floor=floor,
    )


def _random_pose(rng: np.random.Generator, kind: Kind, shift: float) -> Pose:
    centre, spread = TURN[kind]
    turn = rotation(2, math.radians(centre + rng.uniform(-spread, spread)))
    return lying(kind, turn, rng.uniform(0, 2 * math.pi), rng, shift)


def lying(kind: Kind, turn: Floats, roll: float, rng: np.random.Generator, shift: float) -> Pose:
    """A nut lies flat, a bolt on a flat of its head and its end, a screw on the rim of its head and its tip.

    Args:
        turn: (3, 3) about the vertical.
        roll: of a screw about its own axis, in radians.
        shift: how far from the middle of the table it may lie.
    """
    if kind == "nut":
        turned, middle, height = turn @ rotation(1, -math.pi / 2), 0.0, NUT_HEIGHT / 2
    elif kind == "bolt":
        turned = turn @ rotation(1, math.atan((HEX_WIDTH / 2 - 0.5) / BOLT_LENGTH))
        middle, height = (BOLT_LENGTH - HEAD_HEIGHT) / 2, HEX_WIDTH / 2
    else:
        turned = turn @ rotation(1, math.atan(SCREW_HEAD_RADIUS / SCREW_LENGTH)) @ rotation(0, roll)
        middle, height = SCREW_LENGTH / 2, SCREW_HEAD_RADIUS
    x, y = rng.uniform(-shift, shift, size=2) - middle * turned[:2, 0]
    return Pose(rotation=turned, position=vector(x, y, height))


def rotation(axis: int, angle: float) -> Floats:
    """Rotation (3, 3) about a coordinate axis; `angle` in radians."""
    matrix: Floats = cv2.Rodrigues(angle * np.eye(3)[axis])[0]
    return matrix.astype(np.float32)


def vector(x: float, y: float, z: float) -> Floats:
    """(3,) float32."""
    return np.array([x, y, z], dtype=np.float32)
