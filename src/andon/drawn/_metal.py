"""How metal looks under a large lamp and a window: it mirrors the room, so it is the room that is drawn here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from andon.drawn._noise import grooves, noise
from andon.drawn._solids import Floats
from andon.drawn._trace import Camera, Surface

GROOVES_PER_UNIT = 200


@dataclass(frozen=True, kw_only=True)
class Room:
    """The light around a part, in linear RGB where 1 is a white sheet of paper under the lamp.

    Attributes:
        lamp: unit vector (3,) towards the lamp.
        colour: (3,) of the lamp; the window opposite is as cool as the lamp is warm.
        floor: (3,) mean colour of the table.
    """

    lamp: Floats
    colour: Floats
    floor: Floats

    def mirrored(self, directions: Floats, softness: float) -> Floats:
        """The light (3, n) that comes from these directions (3, n); `softness` blurs the edges of lamp and window."""
        up = directions[2]
        opposite = self.lamp * np.array([-0.75, -0.75, 0], dtype=np.float32) + np.array([0, 0, 0.55], dtype=np.float32)
        ceiling: Floats = 0.10 + 0.48 * np.clip(up, 0, 1) ** 2
        lamp = 1.25 * _panel(directions, self.lamp, (0.42, 0.30), softness)
        window = 1.1 * _panel(directions, opposite / np.linalg.norm(opposite), (0.50, 0.16), softness)
        sky = self.colour[:, None] * (ceiling + lamp) + (2 - self.colour[:, None]) * window
        below = 0.55 * self.floor[:, None]
        return below + _smoothstep(up, -0.12, 0.10) * (sky - below)

    def diffuse(self, normals: Floats) -> Floats:
        """The light (3, n) that a matt surface with these unit normals (3, n) receives."""
        facing: Floats = self.lamp @ normals
        light: Floats = 0.30 + 0.15 * normals[2] + 0.75 * np.maximum(facing, 0)
        return self.colour[:, None] * light


@dataclass(frozen=True, kw_only=True)
class Finish:
    """A metal surface.

    Attributes:
        colour: (3,) linear reflectance.
        softness: how blurred its reflections are.
        brushing: how far the lathe's grooves tilt its normals.
        spangle: how strong its blotches of zinc crystals are.
    """

    colour: Floats
    softness: float
    brushing: float
    spangle: float


def zinc(rng: np.random.Generator) -> Finish:
    """Bluish galvanised steel with soft reflections."""
    colour = rng.uniform(0.95, 1.05) * np.array([0.70, 0.73, 0.77], dtype=np.float32)
    return Finish(colour=colour, softness=rng.uniform(0.17, 0.21), brushing=0.018, spangle=0.05)


def steel(rng: np.random.Generator) -> Finish:
    """Neutral turned steel with crisper reflections and visible grooves."""
    colour = rng.uniform(0.95, 1.05) * np.array([0.72, 0.71, 0.69], dtype=np.float32)
    return Finish(colour=colour, softness=rng.uniform(0.12, 0.15), brushing=0.028, spangle=0.03)


def shade(
    surface: Surface, brushed: Floats, finish: Finish, room: Room, camera: Camera, rng: np.random.Generator
) -> Floats:
    """Linear RGB (3, n) of a metal surface; `brushed` (3, n) is the tilt that `brush` gives, turned into the room."""
    white_noise = rng.standard_normal((3, 1 << 16), dtype=np.float32)
    normals = surface.normals + finish.brushing * brushed + 0.012 * white_noise[:, surface.pixels % (1 << 16)]
    normals /= np.linalg.norm(normals, axis=0)
    facing: Floats = np.clip(camera.towards @ normals, 0.02, 1)
    reflected = 2 * facing * normals - camera.towards[:, None]
    fresnel = finish.colour[:, None] + (1 - finish.colour[:, None]) * (1 - facing) ** 5  # Schlick's approximation
    light = 0.8 * room.mirrored(reflected, finish.softness) + 0.2 * room.diffuse(normals)
    blotches = 1 + finish.spangle * noise_on(surface, camera, rng, 30, octaves=4)
    return fresnel * light * surface.openness * blotches


def brush(points: Floats, normals: Floats, rng: np.random.Generator) -> Floats:
    """Tilt (3, n) by the grooves of a lathe, in the part's own coordinates: rings on the sides, circles on the ends."""
    radius = np.hypot(points[1], points[2]) + np.float32(1e-6)
    on_end = np.abs(normals[0]) > 0.8
    across = np.where(on_end, np.stack([0 * radius, points[1] / radius, points[2] / radius]), [[1.0], [0.0], [0.0]])
    profile = grooves(rng, 7 * GROOVES_PER_UNIT)
    step = (np.where(on_end, radius, points[0]) + 1) * GROOVES_PER_UNIT
    tilt: Floats = across * profile[step.astype(int) % len(profile)]
    return tilt.astype(np.float32)


def noise_on(surface: Surface, camera: Camera, rng: np.random.Generator, cell: float, octaves: int) -> Floats:
    """See `noise`; its values (n,) at the pixels of the surface."""
    return noise(rng, camera.size, cell, octaves).ravel()[surface.pixels]


def _panel(directions: Floats, centre: Floats, half_size: tuple[float, float], softness: float) -> Floats:
    """A rectangle in the sky around the direction `centre`, its first side level: 1 within, 0 without, (n,)."""
    level = np.cross(centre, np.array([0, 0, 1], dtype=np.float32))
    level /= np.linalg.norm(level)
    across, along = np.abs(level @ directions), np.abs(np.cross(level, centre) @ directions)
    within = _smoothstep(half_size[0] - across, -softness, softness)
    within *= _smoothstep(half_size[1] - along, -softness, softness)
    return within * (centre @ directions > 0)


def _smoothstep(value: Floats, low: float, high: float) -> Floats:
    share: Floats = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)
