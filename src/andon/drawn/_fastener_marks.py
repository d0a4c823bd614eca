"""What shows on the surface without a change of shape: rust, scratches, and the grain of freshly broken metal.

Each function takes the linear RGB colours (3, n) of a surface to new ones.
"""

from __future__ import annotations

import math

import numpy as np

from andon.drawn._fastener_scene import Scene
from andon.drawn._metal import noise_on
from andon.drawn._solids import PLAIN_SHANK, Floats, Solid
from andon.drawn._trace import Surface

BROWNS = np.array(  # from the oldest to the freshest rust
    [[0.06, 0.022, 0.012], [0.22, 0.075, 0.025], [0.42, 0.17, 0.05], [0.55, 0.27, 0.10]], dtype=np.float32
)


def rust(scene: Scene, surface: Surface, colours: Floats, rng: np.random.Generator) -> Floats:
    """A patch of rust that has grown from an edge: matt, of several browns, with dark pits and a ragged rim."""
    camera = scene.fine_camera
    facing = camera.towards @ surface.normals
    edge = np.flatnonzero((facing > 0.35) & (facing < 0.7) & (surface.points[2] > 0.25))
    root = surface.points[:, rng.choice(edge)]
    reach = rng.uniform(48, 64) / scene.zoom
    lumps = noise_on(surface, camera, rng, 40, octaves=5)
    grain = noise_on(surface, camera, rng, 8, octaves=3)
    distance = np.linalg.norm(surface.points - root[:, None], axis=0) / reach
    cover: Floats = np.clip((1.1 - distance + 0.12 * lumps + 0.08 * grain) / 0.3, 0, 1)
    age = np.clip(0.5 + cover + 0.7 * lumps + 0.6 * grain, 0, 3)
    brown = np.stack([np.interp(age, range(len(BROWNS)), channel) for channel in BROWNS.T])
    pits: Floats = np.clip(1.2 * (grain - 1), 0, 1)
    rough = surface.normals + 0.25 * np.stack([grain, lumps, -grain])
    light = scene.room.diffuse(rough / np.linalg.norm(rough, axis=0)) * surface.openness
    return colours + cover * (brown * light * (1 - 0.7 * pits) - colours)


def scratch(scene: Scene, surface: Surface, colours: Floats, rng: np.random.Generator) -> Floats:
    """Three scratches side by side away from the thread: thin bright furrows with dark sides."""
    towards = scene.fine_camera.towards
    unthreaded = scene.pose.to_part(surface.points)[0] < PLAIN_SHANK[scene.kind]
    place = np.flatnonzero((towards @ surface.normals > 0.8) & (surface.openness > 0.8) & unthreaded)
    centre = surface.points[:, rng.choice(place)]
    angle = rng.uniform(0, math.pi)
    along = np.array([math.cos(angle), math.sin(angle), 0], dtype=np.float32)
    offset = scene.zoom * (surface.points - centre[:, None])  # in pixels of the photo
    length, side = along @ offset, np.cross(towards, along) @ offset
    ragged = noise_on(surface, scene.fine_camera, rng, 5, octaves=2)
    for shift, depth in ((0, 1.0), (rng.uniform(5, 7), 0.8), (rng.uniform(-8, -6), 0.6)):
        bow = shift + rng.uniform(-0.08, 0.08) * length + rng.uniform(-0.001, 0.001) * length**2
        distance = side - bow + 0.15 * ragged
        end, middle = rng.uniform(46, 60), rng.uniform(-12, 12)
        strength = depth * np.clip((end - np.abs(length - middle)) / 25 + 0.15 * ragged, 0, 1)
        core = strength * np.exp(-((distance / 1.0) ** 2))
        dark = strength * np.exp(-(((distance - 2.3) / 1.5) ** 2))
        colours = colours * (1 - 0.9 * dark)
        colours = colours + 0.9 * core * (1.1 * scene.room.colour[:, None] - colours)
    return colours


def fracture(scene: Scene, surface: Surface, colours: Floats, sound: Solid, rng: np.random.Generator) -> Floats:
    """Matt, grainy metal wherever the surface lies inside the `sound` part: there it has just been broken."""
    fresh = sound(scene.pose.to_part(surface.points)) < -0.015
    grain = noise_on(surface, scene.fine_camera, rng, 4, octaves=2)
    matt = scene.room.diffuse(surface.normals) * surface.openness * (0.40 + 0.07 * grain)
    return np.where(fresh, matt, colours)
