"""A canister on a cluttered desk: pose, light and camera; and the picture that the camera takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from andon.drawn import _canister_desk as desk
from andon.drawn import _canister_paint as paint
from andon.drawn._canister_solids import HEIGHT, Canister
from andon.drawn._fastener_scene import Pose
from andon.drawn._metal import Room
from andon.drawn._solids import Floats, Solid
from andon.drawn._trace import Camera, Surface, table_light, trace
from andon.types import Mask

SIZE = (576, 432)
OVERSAMPLING = 1.5
SHADOW_SAMPLING = 0.25


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What the camera sees, before it is developed.

    Attributes:
        linear: (H, W, 3) linear RGB.
        part: (H, W) where the canister is.
    """

    linear: Floats
    part: Mask


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything in a photo but the state of the canister.

    Attributes:
        camera: of the photo's own size.
        surroundings: (H, W, 3) linear RGB of wall and desk, evenly lit.
        grain_seed: of fine textures, so that every picture of the scene has the same.
    """

    camera: Camera
    pose: Pose
    room: Room
    surroundings: Floats
    is_wall: Floats
    things: tuple[desk.Thing, ...]
    grain_seed: int

    @property
    def fine_camera(self) -> Camera:
        """The camera that sees the canister."""
        return _scaled(self.camera, OVERSAMPLING)

    @property
    def viewer(self) -> Floats:
        """Unit vector (3,) to the camera, in the canister's own coordinates."""
        return self.pose.rotation.T @ self.camera.towards

    def photograph(self, canister: Canister, scratch_seed: int | None = None) -> Picture:
        """The picture of the canister, scratched where a seed is given."""
        solid = self.pose.place(canister)
        surface = trace(solid, self.fine_camera, HEIGHT)
        colours = self._colours(canister, surface, scratch_seed)
        layer = np.zeros((math.prod(self.fine_camera.size), 4), dtype=np.float32)
        layer[surface.pixels, :3] = np.minimum(colours, 1.6).T  # a highlight must not outshine its neighbours
        layer[surface.pixels, 3] = 1
        part = cv2.resize(layer.reshape(*self.fine_camera.size, 4), SIZE[::-1], interpolation=cv2.INTER_AREA)
        linear = part[:, :, :3] + (1 - part[:, :, 3:]) * self._background(solid)
        return Picture(linear=linear, part=part[:, :, 3] > 0.5)

    def _colours(self, canister: Canister, surface: Surface, scratch_seed: int | None) -> Floats:
        rng = np.random.default_rng(self.grain_seed)
        own = self.pose.to_part(surface.points)
        colours = paint.colours(canister, surface, own, self.room, self.fine_camera, rng)
        if scratch_seed is None:
            return colours
        return paint.scratch(own, colours, self.room, np.random.default_rng(scratch_seed))

    def _background(self, canister: Solid) -> Floats:
        """Wall, desk with the shadows on it, and the things that stand there, (H, W, 3)."""
        solids = [canister, *(thing.solid for thing in self.things)]

        def everything(points: Floats) -> Floats:
            nearest: Floats = np.minimum.reduce([solid(points) for solid in solids])
            return nearest

        lamp, ambient = table_light(everything, _scaled(self.camera, SHADOW_SAMPLING), HEIGHT, self.room.lamp)
        light = cv2.resize(0.6 * lamp + 0.4 * ambient, SIZE[::-1])
        light = self.is_wall + (1 - self.is_wall) * light
        lit = self.surroundings * light[:, :, None] * self.room.colour
        rng = np.random.default_rng(self.grain_seed)
        return desk.draw(list(self.things), lit.astype(np.float32), self.camera, self.room, rng)


def random_scene(rng: np.random.Generator) -> Scene:
    """A canister that stands on some desk with some clutter, somewhere near the middle of a photo."""
    camera = _random_camera(rng)
    back = rng.uniform(5.5, 9.5)  # of the desk
    top = desk.desk(rng, camera)
    is_wall = _beyond(camera, back)
    surroundings = top + is_wall[:, :, None] * (desk.wall(rng, SIZE) - top)
    things = desk.clutter(rng, clear=1.25, back=back, count=int(rng.integers(5, 9)))
    return Scene(
        camera=camera,
        pose=_random_pose(rng),
        room=_random_room(rng, floor=top.mean(axis=(0, 1))),
        surroundings=surroundings,
        is_wall=is_wall,
        things=tuple(things),
        grain_seed=int(rng.integers(2**31)),
    )


def _random_camera(rng: np.random.Generator) -> Camera:
    """Somewhat above the desk, the middle of the canister near the middle of its picture."""
    zoom, tilt = rng.uniform(60, 84), math.radians(rng.uniform(64, 76))
    x, y = rng.uniform(-40, 40) / zoom, rng.uniform(-30, 30) / zoom
    centre = (x, HEIGHT / 2 * math.tan(tilt) + y / math.cos(tilt))
    return Camera(tilt=tilt, zoom=zoom, size=SIZE, roll=math.radians(rng.uniform(-5, 5)), centre=centre)


def _beyond(camera: Camera, y: float) -> Floats:
    """(H, W) 1 where the ray meets the table plane beyond `y`, 0 before it, with a soft step between."""
    rows, columns = np.divmod(np.arange(math.prod(camera.size)), camera.size[1])
    pixels = (camera.on_table(rows, columns)[1] - y) * camera.zoom * math.cos(camera.tilt)
    share: Floats = np.clip(0.5 + pixels / 3, 0, 1).reshape(camera.size)
    return share.astype(np.float32)


def _random_pose(rng: np.random.Generator) -> Pose:
    """Upright at the origin, its label about to the front."""
    turn = math.radians(rng.uniform(-20, 20))
    right = np.array([math.cos(turn), math.sin(turn), 0])
    rotation = np.stack([np.array([0, 0, 1]), right, np.cross([0, 0, 1], right)], axis=1)
    return Pose(rotation=rotation.astype(np.float32), position=np.zeros(3, np.float32))


def _random_room(rng: np.random.Generator, floor: Floats) -> Room:
    """A lamp before the canister, to its left or right."""
    azimuth = math.radians(270 + rng.choice([-1, 1]) * rng.uniform(30, 75))
    elevation = math.radians(rng.uniform(38, 58))
    level, warmth = math.cos(elevation), rng.uniform(-0.06, 0.10)
    lamp = [level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)]
    brightness = rng.uniform(0.75, 1.15)
    colour = brightness * np.array([1 + warmth, 1, 1 - warmth])
    return Room(lamp=np.array(lamp, np.float32), colour=colour.astype(np.float32), floor=floor)


def _scaled(camera: Camera, scale: float) -> Camera:
    height, width = camera.size
    return replace(camera, zoom=camera.zoom * scale, size=(round(height * scale), round(width * scale)))
