"""What the parts lie on: pictures (H, W, 3) in linear RGB, evenly lit, 1 = white."""

from __future__ import annotations

import math

import numpy as np

from andon.drawn._noise import fibres, noise
from andon.drawn._solids import Floats


def paper(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """A white sheet, faintly uneven."""
    value = 0.74 + 0.012 * noise(rng, size, 6, octaves=3) + 0.015 * noise(rng, size, 160)
    return _coloured(value, (1.0, 0.99, 0.96))


def table(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """A grey workbench with speckles and wiping marks."""
    speckles = np.clip(noise(rng, size, 2.5) - 1.3, 0, 2)
    value = 0.30 - 0.05 * speckles + 0.012 * fibres(rng, size, 60) + 0.010 * noise(rng, size, 70, octaves=3)
    return _coloured(value, (0.97, 1.0, 1.03))


def cloth(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """A blue shop cloth in a fine weave."""
    slack = 0.8 * noise(rng, size, 60, octaves=2)
    warp, weft = (2 * math.pi / 7 * (thread + slack) for thread in _turned(size, rng.uniform(0, math.pi)))
    weave = 0.018 * np.sin(warp) * np.sin(weft) + 0.01 * np.sin(warp + weft)
    return _coloured(0.14 + weave + 0.012 * noise(rng, size, 3, octaves=2), (0.72, 0.95, 1.35))


def conveyor(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """A dark green belt with an embossed lattice."""
    along, across = _turned(size, rng.uniform(-0.2, 0.2))
    ribs = np.sin(0.22 * (along + across)) ** 8 + np.sin(0.22 * (along - across)) ** 8
    grain = 0.006 * noise(rng, size, 2.5) + 0.003 * noise(rng, size, 90, octaves=3)
    return _coloured(0.075 + 0.03 * np.minimum(ribs, 1) + grain, (0.78, 1.12, 0.98))


BACKDROPS = (paper, table, cloth, conveyor)


def _turned(size: tuple[int, int], angle: float) -> tuple[Floats, Floats]:
    """Pixel coordinates (H, W) along and across a direction; `angle` in radians."""
    rows, columns = np.indices(size, dtype=np.float32)
    cos, sin = math.cos(angle), math.sin(angle)
    return cos * columns + sin * rows, cos * rows - sin * columns


def _coloured(value: Floats, tint: tuple[float, float, float]) -> Floats:
    return np.maximum(value, 0.01)[:, :, None] * np.array(tint, dtype=np.float32)
