"""The drawn canister: a gas cylinder with a foot, a collar ring, a valve and a hand wheel.

As in `_synthetic_solids`, a solid gives signed distances. The unit of length is the radius of the body; in the
canister's own coordinates (u, v, w) its axis is u and it stands on u = 0, its front towards -w, its outlet towards +v.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from andon.drawn._solids import Floats, smooth_max, smooth_min

HEIGHT = 5.4
SHOULDER, NECK = 3.55, 4.2  # u where the wall ends, and where the shoulder meets the neck
STRETCHED = 0.3  # share by which a dent or a bend makes distances near it too long
BODY, FOOT, STEEL, BRASS, WHEEL = range(5)


@dataclass(frozen=True, kw_only=True)
class Dent:
    """A hollow in the wall.

    Attributes:
        centre: (3,) on the wall, in the canister's own coordinates.
        depth: of its middle.
        half_height: along the axis, where the hollow has fallen to 1 / e of its depth.
        half_width: likewise, around the axis.
    """

    centre: Floats
    depth: float
    half_height: float
    half_width: float

    def at(self, points: Floats) -> Floats:
        """How deep it is at these points (3, n)."""
        hollow: Floats = self.depth * np.exp(-(self._squared(points) ** 2))
        return hollow

    def near(self, points: Floats) -> Floats:
        """1 at the hollow, 0 where it is not felt."""
        nearness: Floats = np.exp(-((self._squared(points) / 3) ** 2))
        return nearness

    def _squared(self, points: Floats) -> Floats:
        """The square of the distance from the middle, 1 where the hollow is 1 / e deep."""
        u, v, w = points - self.centre[:, None]
        squared: Floats = (u / self.half_height) ** 2 + (v * v + w * w) / self.half_width**2
        return squared


@dataclass(frozen=True, kw_only=True)
class Canister:
    """The solid of one canister, sound unless something is given.

    Attributes:
        lean: (2,) how far everything above the neck leans aside, in v and w per unit of u.
    """

    dent: Dent | None = None
    lean: tuple[float, float] = (0.0, 0.0)
    has_valve: bool = True

    def __call__(self, points: Floats) -> Floats:
        """Signed distance (n,) of points (3, n)."""
        distance: Floats = self._distances(points).min(axis=0)
        if self.dent is not None:
            distance = distance * (1 - STRETCHED * self.dent.near(points))
        if self.lean != (0.0, 0.0):
            distance = distance * (1 - STRETCHED * np.clip((points[0] - SHOULDER) / 0.35, 0, 1))
        return distance

    def material(self, points: Floats) -> NDArray[np.intp]:
        """BODY, FOOT, STEEL, BRASS or WHEEL (n,): what the surface is made of at these points (3, n)."""
        material: NDArray[np.intp] = self._distances(points).argmin(axis=0)
        return material

    def _distances(self, points: Floats) -> Floats:
        """(5, n) distances to the materials."""
        u, v, w = self._upright(points)
        radius = np.hypot(v, w)
        body = _body(u, radius)
        if self.dent is not None:
            body = body + self.dent.at(points)
        materials = [body, _disc(u, radius, 0.0, 0.24, 1.035, 0.05), _collar(u, radius)]
        if self.has_valve:
            materials += [_valve(u, v, w, radius), _wheel(u, v, w, radius)]
        else:
            materials += [np.full_like(u, np.inf)] * 2
        return np.stack(materials)

    def _upright(self, points: Floats) -> Floats:
        """The points as if nothing leant."""
        above = np.maximum(points[0] - SHOULDER - 0.35, 0)
        return np.stack([points[0], points[1] - self.lean[0] * above, points[2] - self.lean[1] * above])


def _body(u: Floats, radius: Floats) -> Floats:
    """Wall, shoulder and the hollow neck."""
    wall = smooth_max(radius - 1, -u, 0.2)
    shoulder = 0.70 * (radius - 1) + 0.714 * (u - SHOULDER)
    body = smooth_max(smooth_max(wall, shoulder, 0.55), u - NECK, 0.1)
    neck = _disc(u, radius, NECK - 0.3, NECK + 0.38, 0.32, 0.03)
    bore = np.maximum(radius - 0.2, NECK + 0.05 - u)
    hollow: Floats = np.maximum(smooth_min(body, neck, 0.2), -bore)
    return hollow


def _collar(u: Floats, radius: Floats) -> Floats:
    """The steel ring around the neck."""
    collar: Floats = np.hypot(radius - 0.44, u - NECK - 0.12) - 0.10
    return collar


def _valve(u: Floats, v: Floats, w: Floats, radius: Floats) -> Floats:
    """The brass body of the valve with its outlet to one side."""
    stem = _disc(u, radius, NECK + 0.3, 5.16, 0.23, 0.04)
    nut = smooth_max(np.maximum(np.abs(v), np.abs(w)) - 0.27, np.abs(u - NECK - 0.47) - 0.11, 0.04)
    across = np.hypot(u - 4.86, w)
    outlet = np.minimum(_disc(v, across, 0.0, 0.66, 0.13, 0.03), _disc(v, across, 0.48, 0.72, 0.19, 0.04))
    return np.minimum(smooth_min(stem, outlet, 0.08), nut)


def _wheel(u: Floats, v: Floats, w: Floats, radius: Floats) -> Floats:
    """The hand wheel, with eight lobes."""
    lobes = 0.045 * np.cos(8 * np.arctan2(w, v))
    return 0.8 * _disc(u, radius - lobes, 5.14, HEIGHT, 0.5, 0.08)


def _disc(along: Floats, radius: Floats, start: float, end: float, reach: float, edge: float) -> Floats:
    """A cylinder of radius `reach` from `start` to `end`, its edges rounded."""
    return smooth_max(radius - reach, np.abs(along - (start + end) / 2) - (end - start) / 2, edge)
