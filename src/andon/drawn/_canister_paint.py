"""What the canister is made of: white paint with a printed label, rubber, steel, brass and plastic; and scratches.

Colours are linear RGB (3, n) where 1 is a white sheet under the lamp.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from andon.drawn._canister_solids import BODY, BRASS, FOOT, STEEL, WHEEL, Canister
from andon.drawn._metal import Finish, Room, noise_on, shade
from andon.drawn._solids import Floats
from andon.drawn._trace import Camera, Surface

WHITE, BLUE, RUBBER, RED = (0.60, 0.60, 0.58), (0.03, 0.12, 0.34), (0.035, 0.035, 0.038), (0.36, 0.025, 0.02)
BARE = (0.16, 0.155, 0.15)
CREAM, PRINT, ORANGE = (193, 186, 160), (62, 62, 66), (217, 133, 53)  # of the label, as sRGB
METALS = {
    STEEL: Finish(colour=np.array([0.70, 0.71, 0.72], np.float32), softness=0.14, brushing=0.02, spangle=0.03),
    BRASS: Finish(colour=np.array([0.80, 0.58, 0.24], np.float32), softness=0.16, brushing=0.02, spangle=0.04),
}
GLOSS = {BODY: (0.05, 0.05), FOOT: (0.03, 0.5), WHEEL: (0.04, 0.12)}  # reflectance head-on, softness of reflections
LABEL_TOP, LABEL_HEIGHT, LABEL_REACH = 2.47, 1.44, 0.62  # its reach is an angle to either side of the front
BAND, BAND_HEIGHT = 2.95, 0.32
GLARE = 2.5  # the lamp outshines what it lights


def colours(
    canister: Canister, surface: Surface, own: Floats, room: Room, camera: Camera, rng: np.random.Generator
) -> Floats:
    """Linear RGB (3, n) of a canister's surface; `own` (3, n) are its points in the canister's own coordinates."""
    material = canister.material(own)
    paint = np.select([material == FOOT, material == WHEEL], [_column(RUBBER), _column(RED)], _printed(own))
    blotches = 1 + 0.015 * noise_on(surface, camera, rng, 60, octaves=3)
    result: Floats = paint * blotches * room.diffuse(surface.normals) * (0.35 + 0.65 * surface.openness)
    facing: Floats = np.clip(camera.towards @ surface.normals, 0.02, 1)
    reflected = 2 * facing * surface.normals - camera.towards[:, None]
    for kind, (head_on, softness) in GLOSS.items():
        here = material == kind
        mirror = head_on + 0.3 * (1 - facing[here]) ** 5  # Schlick's approximation
        result[:, here] += GLARE * mirror * surface.openness[here] * room.mirrored(reflected[:, here], softness)
    for kind, finish in METALS.items():
        part = _subset(surface, material == kind)
        result[:, material == kind] = shade(part, np.zeros_like(part.normals), finish, room, camera, rng)
    return result


def scratch(own: Floats, colours: Floats, room: Room, rng: np.random.Generator) -> Floats:
    """The colours with a group of scratches on the wall, through the paint to the grey steel, in the camera's view."""
    u, angle = _unrolled(own)
    middle, centre, slope = rng.uniform(1.0, 2.8), rng.uniform(-0.5, 0.5), rng.choice([-1, 1]) * rng.uniform(0.3, 1.2)
    direction = np.array([1, slope]) / np.hypot(1, slope)
    along = direction[0] * (u - middle) + direction[1] * (angle - centre)
    across = direction[0] * (angle - centre) - direction[1] * (u - middle)
    bare = np.zeros_like(u)
    for shift in (0.0, rng.uniform(0.1, 0.16), -rng.uniform(0.08, 0.14), rng.uniform(0.2, 0.28)):
        half, offset = rng.uniform(0.45, 0.8), rng.uniform(-0.2, 0.2)
        bow = shift + rng.uniform(-0.05, 0.05) * along + 0.012 * np.sin(9 * along + rng.uniform(0, 6))
        width = rng.uniform(0.018, 0.034)
        strength = np.clip((half - np.abs(along - offset)) / 0.15, 0, 1)
        bare = np.maximum(bare, strength * np.clip(1.6 - np.abs(across - bow) / width, 0, 1))
    bare *= (np.abs(angle) < 1.3) & (u < 3.5)
    grey = _column(BARE) * room.colour[:, None] * (0.6 + 0.8 * colours.mean(axis=0))
    scratched: Floats = colours + bare * (grey - colours)
    return scratched


def _printed(own: Floats) -> Floats:
    """White paint with a blue band all round and a label on the front."""
    u, angle = _unrolled(own)
    art = _label_art()
    across, down = (angle / LABEL_REACH + 1) / 2, (LABEL_TOP - u) / LABEL_HEIGHT
    is_label = (np.minimum(across, down) >= 0) & (np.maximum(across, down) < 1)
    row, column = (down * art.shape[0]).astype(int), (across * art.shape[1]).astype(int)
    label = art[np.where(is_label, row, 0), np.where(is_label, column, 0)].T
    is_band = np.abs(u - BAND) < BAND_HEIGHT / 2
    return np.select([is_label, is_band], [label, _column(BLUE)], _column(WHITE))


@cache
def _label_art() -> Floats:
    """A label with a hazard sign, a name and lines of small print, (H, W, 3)."""
    art = np.full((300, 260, 3), CREAM, dtype=np.uint8)
    cv2.fillPoly(art, [np.array([[40, 10], [72, 42], [40, 74], [8, 42]])], ORANGE)
    cv2.putText(art, "GAS 6 kg", (84, 54), cv2.FONT_HERSHEY_DUPLEX, 1.15, PRINT, 3, cv2.LINE_AA)
    for line, text in enumerate(
        ("Keep upright.", "Close valve when", "not in use. Do not", "heat above 50 C.", "Lot 0417  21 bar")
    ):
        place = (12, 118 + 40 * line)
        cv2.putText(art, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.78, PRINT, 2, cv2.LINE_AA)
    return ((art / 255) ** 2.2).astype(np.float32)


def _unrolled(own: Floats) -> tuple[Floats, Floats]:
    """Height and angle around the axis, 0 at the front."""
    return own[0], np.arctan2(own[1], -own[2])


def _column(colour: tuple[float, float, float]) -> Floats:
    return np.array(colour, dtype=np.float32)[:, None]


def _subset(surface: Surface, here: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Surface:
    return Surface(surface.pixels[here], surface.points[:, here], surface.normals[:, here], surface.openness[here])
