"""The drawn parts as signed distance functions.

A solid takes points (3, n) float32 and gives each one's distance (n,) to the surface: negative inside, at most about
the true distance outside, so that a ray may step that far. The unit of length is the nominal thread diameter. In a
part's own coordinates (u, v, w) its axis is u.

Intersection is the maximum of two distances, union the minimum, subtraction the maximum with the negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]  # float32 wherever it is large
Solid = Callable[[Floats], Floats]
Kind = Literal["nut", "bolt", "screw"]

HEX_WIDTH = 1.65  # across flats
HEAD_HEIGHT = 0.66
NUT_HEIGHT = 0.85
BOLT_LENGTH = 3.1
SCREW_LENGTH = 4.7
SCREW_HEAD_RADIUS = 0.95
PLAIN_SHANK: dict[Kind, float] = {"nut": math.inf, "bolt": 0.75, "screw": 1.5}  # u where the thread begins


@dataclass(frozen=True, kw_only=True)
class Thread:
    """A screw thread; the shape of its turns is a clipped and rounded triangle wave.

    Attributes:
        pitch: from crest to crest.
        depth: from crest to root.
        sharpness: steepness of the triangle before it is clipped; large = thin fins with wide roots between.
        crest: height of the triangle at which it is clipped flat, as a share of `depth`.
    """

    pitch: float
    depth: float
    sharpness: float
    crest: float

    def height(self, along: Floats, angle: Floats) -> Floats:
        """Height above the root: 0 at the root, `depth` at the crest."""
        turns = along * (1 / self.pitch) + angle * (0.5 / math.pi)
        triangle = np.abs(2 * (turns - np.floor(turns)) - 1)
        rise: Floats = np.clip(1 - self.sharpness * (triangle - self.crest), 0, 1)
        return self.depth * rise * rise * (3 - 2 * rise)

    @property
    def slope(self) -> float:
        """What a radial distance has to be divided by, since the flanks lie slanting.

        Three quarters of it will do: the rays come from the side and never meet a flank head-on.
        """
        return 0.75 * math.hypot(1, 2 * self.depth * self.sharpness / self.pitch)


METRIC = Thread(pitch=0.165, depth=0.10, sharpness=1.15, crest=0.10)
WOOD = Thread(pitch=0.42, depth=0.17, sharpness=2.6, crest=0.04)


def smooth_max(a: Floats, b: Floats, radius: float) -> Floats:
    """Intersection of two solids whose common edge is rounded by about `radius`."""
    near: Floats = np.maximum(radius - np.abs(a - b), 0)
    near *= near
    near *= 1 / (4 * radius)
    near += np.maximum(a, b)
    return near


def smooth_min(a: Floats, b: Floats, radius: float) -> Floats:
    """Union of two solids with a fillet of about `radius` where they meet."""
    return -smooth_max(-a, -b, radius)


def nut(points: Floats, thread: Thread = METRIC) -> Floats:
    """A hexagon nut, its axis through the origin, half of its height on either side."""
    u, v, w = points
    radius, angle = _polar(v, w)
    beyond = np.abs(u) - NUT_HEIGHT / 2
    body = np.maximum(_hexagon(v, w), beyond)
    body = smooth_max(body, _cone(radius - 0.485 * HEX_WIDTH, beyond, 60), 0.03)
    bore = (0.5 - thread.height(u, angle) - radius) / thread.slope
    countersink = _cone(0.58 - radius, beyond, 45)
    return np.maximum(body, np.maximum(bore, countersink))


def bolt(points: Floats, thread: Thread = METRIC) -> Floats:
    """A hexagon bolt: head from u = -HEAD_HEIGHT to 0, shank on to BOLT_LENGTH."""
    u, v, w = points
    radius, angle = _polar(v, w)
    head = smooth_max(_hexagon(v, w), np.abs(u + HEAD_HEIGHT / 2) - HEAD_HEIGHT / 2, 0.06)
    head = smooth_max(head, _cone(radius - 0.475 * HEX_WIDTH, -u - HEAD_HEIGHT, 60), 0.03)
    collar = np.maximum(radius - 0.46 * HEX_WIDTH, np.abs(u) - 0.05)
    cut = np.clip((u - PLAIN_SHANK["bolt"]) / thread.pitch, 0, 1)
    groove = cut * (thread.depth - thread.height(u, angle))
    shank = (radius - 0.5 + groove) / thread.slope
    shank = np.maximum(shank, _cone(radius - 0.39, u - BOLT_LENGTH, 45))
    shank = np.maximum(np.maximum(shank, u - BOLT_LENGTH), -u - HEAD_HEIGHT / 2)
    return smooth_min(np.minimum(head, collar), shank, 0.06)


def screw(points: Floats, thread: Thread = WOOD) -> Floats:
    """A countersunk wood screw with a cross recess: head from u = 0, tip at SCREW_LENGTH."""
    u, v, w = points
    radius, angle = _polar(v, w)
    top = np.sqrt((u - 6) ** 2 + radius**2) - 6  # slightly domed
    head = smooth_max(_cone(radius - SCREW_HEAD_RADIUS, u - 0.07, 45), radius - SCREW_HEAD_RADIUS, 0.03)
    head = np.maximum(smooth_max(head, top, 0.04), -_cross_recess(u, v, w))
    core = 0.33 * np.clip((SCREW_LENGTH - u) / 0.9, 0, 1)
    plain = 0.07 * np.clip((PLAIN_SHANK["screw"] - u) / 0.1, 0, 1)
    cut = np.clip((u - PLAIN_SHANK["screw"]) / thread.pitch, 0, 1) * np.clip((SCREW_LENGTH - 0.2 - u) / 0.8, 0, 1)
    shank = (radius - core - plain - cut * thread.height(u, angle)) / thread.slope
    shank = np.maximum(np.maximum(shank, u - SCREW_LENGTH), 0.5 - u)
    return smooth_min(head, shank, 0.12)


def _polar(v: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Radius and angle in [0, 2 pi)."""
    radius, angle = cv2.cartToPolar(v, w)
    return radius.ravel().astype(np.float32, copy=False), angle.ravel().astype(np.float32, copy=False)


def _hexagon(v: Floats, w: Floats) -> Floats:
    """An endless hexagonal bar along u with flats towards +w and -w, its edges slightly rounded."""
    across = np.abs(w)
    return smooth_max(across, 0.5 * across + math.sqrt(0.75) * np.abs(v), 0.05) - HEX_WIDTH / 2


def _cone(outside: Floats, beyond: Floats, degrees: float) -> Floats:
    """Distance to a cone around the axis; `outside` radially and `beyond` axially are measured from one of its circles.

    `degrees` is the angle between the cone's normal and the cross-section.
    """
    turn = math.radians(degrees)
    return math.cos(turn) * outside + math.sin(turn) * beyond


def _cross_recess(u: Floats, v: Floats, w: Floats) -> Floats:
    """The cross-shaped hole for the screwdriver, narrowing with depth."""
    wide: Floats = np.maximum(np.abs(v), np.abs(w))
    narrow: Floats = np.minimum(np.abs(v), np.abs(w))
    flanks, floor = narrow - 0.13 + 0.1 * u, 0.7 * (wide + u - 0.6)
    return np.maximum(flanks, floor)


PARTS: dict[Kind, Callable[..., Floats]] = {"nut": nut, "bolt": bolt, "screw": screw}
