"""Seeded random textures, each with mean 0 and a standard deviation of about 1."""

from __future__ import annotations

import cv2
import numpy as np

from andon.drawn._solids import Floats


def noise(rng: np.random.Generator, size: tuple[int, int], cell: float, octaves: int = 1) -> Floats:
    """Lumps of about `cell` pixels, (H, W); each further octave adds lumps half as large and half as strong."""
    height, width = size
    texture: Floats = np.zeros(size, dtype=np.float32)
    for octave in range(octaves):
        spacing = max(cell / 2**octave, 1.0)
        grid = rng.standard_normal((int(height / spacing) + 3, int(width / spacing) + 3), dtype=np.float32)
        texture += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return _standardised(texture)


def fibres(rng: np.random.Generator, size: tuple[int, int], length: int) -> Floats:
    """Fine horizontal streaks of about `length` pixels, (H, W)."""
    streaks = cv2.blur(rng.standard_normal(size, dtype=np.float32), (length, 1))
    return _standardised(streaks.astype(np.float32, copy=False))


def grooves(rng: np.random.Generator, count: int) -> Floats:
    """The height of the ground over `count` steps across fine grooves, some of them wider, (count,)."""
    fine = rng.standard_normal(count, dtype=np.float32)
    wide = np.convolve(rng.standard_normal(count, dtype=np.float32), np.ones(9) / 3, "same")
    return (0.9 * fine + 0.45 * wide).astype(np.float32)


def _standardised(texture: Floats) -> Floats:
    mean, deviation = float(texture.mean()), float(texture.std())
    return (texture - mean) / deviation
