"""From a solid and a camera to the visible surface and to the shadow on the table, by sphere tracing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from andon.drawn._solids import Floats, Solid

BLOCK = 8  # pixels along a side of the squares that are searched first
SEARCH_STEPS = 30
TRACE_STEPS = 40
SHADOW_STEPS = 18

Pixels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A tele lens (parallel rays) that looks down at the table z = 0, leaning back by `tilt` from the vertical.

    Attributes:
        tilt: in radians.
        zoom: pixels per unit of length.
        size: (H, W) of the picture, multiples of BLOCK.
        roll: about its own axis, in radians; positive turns the picture clockwise.
        centre: (x, y) of the table that the middle of the picture shows.
    """

    tilt: float
    zoom: float
    size: tuple[int, int]
    roll: float = 0.0
    centre: tuple[float, float] = (0.0, 0.0)

    @property
    def towards(self) -> Floats:
        """Unit vector (3,) from the table to the camera."""
        return np.array([0, -math.sin(self.tilt), math.cos(self.tilt)], dtype=np.float32)

    def on_table(self, rows: Pixels | Floats, columns: Pixels | Floats) -> Floats:
        """The points (3, n) of the table plane that the pixels (n,) show."""
        height, width = self.size
        right, up = columns - (width - 1) / 2, (height - 1) / 2 - rows
        x = (math.cos(self.roll) * right - math.sin(self.roll) * up) / self.zoom
        y = (math.sin(self.roll) * right + math.cos(self.roll) * up) / (self.zoom * math.cos(self.tilt))
        return np.stack([x + self.centre[0], y + self.centre[1], np.zeros_like(x)]).astype(np.float32)


@dataclass(frozen=True)
class Surface:
    """The visible points of a solid, n of them.

    Attributes:
        pixels: (n,) flat indices into the picture.
        points: (3, n).
        normals: (3, n) unit vectors.
        openness: (n,) in [0, 1], near 0 in the depth of a crevice.
    """

    pixels: Pixels
    points: Floats
    normals: Floats
    openness: Floats


def trace(solid: Solid, camera: Camera, tallest: float) -> Surface:
    """What `camera` sees of a solid that stands on the table and is at most `tallest` high."""
    blocks, travelled = _search(solid, camera, tallest)
    pixels, points = _hits(solid, camera, blocks, travelled)
    normals = _normals(solid, points, 1 / camera.zoom)
    return Surface(pixels, points, normals, _openness(solid, points, normals))


def _search(solid: Solid, camera: Camera, tallest: float) -> tuple[Pixels, Floats]:
    """The blocks that may show the solid, and how far before it (measured from the table) their rays may start."""
    height, width = camera.size
    rows, columns = np.divmod(np.arange(height * width // BLOCK**2), width // BLOCK)
    table = camera.on_table(rows * BLOCK + (BLOCK - 1) / 2, columns * BLOCK + (BLOCK - 1) / 2)
    half_height = 0.5 / math.cos(camera.tilt)  # on the table a block is as long as it is seen aslant
    radius = max(0.75, math.hypot(0.5, half_height)) * BLOCK / camera.zoom  # reaches the block's corners
    travelled = np.full(len(rows), tallest / math.cos(camera.tilt), dtype=np.float32)
    near = np.zeros(len(rows), dtype=bool)
    active = np.arange(len(rows))
    for _ in range(SEARCH_STEPS):
        if not active.size:
            break
        start = travelled[active]
        gap = solid(table.take(active, axis=1) + camera.towards[:, None] * start)
        reached = gap <= 1.5 * radius
        near[active[reached]] = True
        travelled[active] = np.where(reached, start, start - gap + radius)
        active = active[~reached & (start > 0)]
    return np.flatnonzero(near), travelled[near]


def _hits(solid: Solid, camera: Camera, blocks: Pixels, travelled: Floats) -> tuple[Pixels, Floats]:
    """The pixels (n,) of the blocks that show the solid, and the points (3, n) that they show."""
    rows, columns = _pixels_of(blocks, camera)
    table, towards = camera.on_table(rows, columns), camera.towards[:, None]
    travelled = np.repeat(travelled, BLOCK**2)
    gaps = np.full(len(rows), np.inf, dtype=np.float32)
    tolerance = np.float32(0.2 / camera.zoom)
    active = np.arange(len(rows))
    for _ in range(TRACE_STEPS):
        if not active.size:
            break
        height = travelled[active]
        gap = solid(table.take(active, axis=1) + towards * height)
        gaps[active] = gap
        travelled[active] = height - gap
        active = active[(gap > tolerance) & (height > 0)]
    hit = (gaps < 4 * tolerance) & (travelled > 0)
    return (rows * camera.size[1] + columns)[hit], table[:, hit] + towards * travelled[hit]


def _pixels_of(blocks: Pixels, camera: Camera) -> tuple[Pixels, Pixels]:
    """Rows and columns of all pixels of the blocks, block after block."""
    block_rows, block_columns = np.divmod(blocks, camera.size[1] // BLOCK)
    inner_rows, inner_columns = np.divmod(np.arange(BLOCK**2), BLOCK)
    rows = block_rows[:, None] * BLOCK + inner_rows
    columns = block_columns[:, None] * BLOCK + inner_columns
    return rows.ravel(), columns.ravel()


def _normals(solid: Solid, points: Floats, reach: float) -> Floats:
    """Gradient of the distance from its values at the corners of a tetrahedron around each point."""
    corners = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], dtype=np.float32)
    gradient = np.zeros_like(points)
    for corner in corners[:, :, None]:
        gradient += corner * solid(points + np.float32(reach) * corner)
    length: Floats = np.linalg.norm(gradient, axis=0)
    return gradient / np.maximum(length, np.float32(1e-9))


def _openness(solid: Solid, points: Floats, normals: Floats) -> Floats:
    """Ambient occlusion: how much the surface recedes along its normal, close by and further off."""
    close, far = points + 0.05 * normals, points + 0.35 * normals
    close_gap: Floats = np.clip(np.minimum(solid(close), close[2]) / 0.04, 0, 1)
    far_gap: Floats = np.clip(np.minimum(solid(far), far[2]) / 0.28, 0, 1)
    return (0.3 + 0.7 * close_gap) * (0.2 + 0.8 * far_gap)


def table_light(
    solid: Solid, camera: Camera, tallest: float, lamp: Floats, hardness: float = 4.0
) -> tuple[Floats, Floats]:
    """Shares (H, W) in [0, 1] of the lamp's and of the ambient light that the solid lets through to the table.

    `lamp` is the unit vector (3,) towards the lamp; the lamp is large, so the shadow's edge softens with distance, the
    more the smaller its `hardness`.
    """
    rows, columns = np.divmod(np.arange(math.prod(camera.size)), camera.size[1])
    table = camera.on_table(rows, columns)
    contact = np.maximum(solid(table), 0)
    ambient = 1 - 0.55 * np.exp(-contact / 0.12) - 0.3 * np.exp(-contact / 0.5)
    travelled = np.full(len(rows), 0.02, dtype=np.float32)
    lit = np.ones(len(rows), dtype=np.float32)
    active = np.arange(len(rows))
    for _ in range(SHADOW_STEPS):
        if not active.size:
            break
        distance = travelled[active]
        gap = solid(table.take(active, axis=1) + lamp[:, None] * distance)
        lit[active] = np.minimum(lit[active], np.clip(0.05 + hardness * gap / distance, 0, 1))
        travelled[active] = distance + np.clip(gap, 0.03, 0.4)
        active = active[(lit[active] > 0) & (distance * lamp[2] < tallest)]
    lit = lit * lit * (3 - 2 * lit)
    return lit.reshape(camera.size), ambient.reshape(camera.size)
