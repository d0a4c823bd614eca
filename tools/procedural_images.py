"""Pictures drawn by program, without end: what a network can learn to see from where photographs are few.

Kataoka et al., "Pre-training without Natural Images", ACCV 2020, learn from fractals; Baradad et al., "Learning to See
by Looking at Noise", NeurIPS 2021, from dead leaves and other noise. Beside these stands what a factory shows: regular
textures, brushed, scratched and rusted metal, and drawn fasteners.

    python tools/procedural_images.py --out FOLDER --count 12     # to look at
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from andon import images
from andon.drawn._noise import fibres, noise
from andon.drawn.fasteners import DEFECTS, KINDS, draw_fastener
from andon.types import RgbImage

SIZE = (288, 288)
Floats = NDArray[np.float32]
Rng = np.random.Generator


def draw(seed: tuple[int, ...]) -> RgbImage:
    """One picture, 288 x 288, of a kind that the seed decides."""
    rng = np.random.default_rng(seed)
    kind = KINDS_OF_PICTURES[int(rng.choice(len(KINDS_OF_PICTURES), p=SHARES))]
    return kind(rng)


def dead_leaves(rng: Rng) -> RgbImage:
    """Shapes that cover one another, few large and many small (sizes by a power law), plain or textured."""
    picture = _plain(rng)
    exponent = rng.uniform(1.0, 2.5)
    for radius in np.sort(4 + 120 * rng.power(1 / exponent, size=int(rng.integers(60, 400))))[::-1] / 1.5:
        mask = np.zeros(SIZE, np.uint8)
        centre = rng.integers(0, SIZE[0], 2)
        if rng.random() < 0.5:
            axes = (int(radius), max(1, int(radius * rng.uniform(0.2, 1))))
            cv2.ellipse(mask, centre.tolist(), axes, rng.uniform(0, 180), 0, 360, 255, cv2.FILLED)
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
            corners = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
        picture[mask > 0] = rng.integers(0, 256, 3)
    if rng.random() < 0.5:
        picture = _shaded(picture, 1 + rng.uniform(0.02, 0.25) * noise(rng, SIZE, rng.uniform(2, 40), 3))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2)), np.uint8)


def fractal(rng: Rng) -> RgbImage:
    """The attractor of a random iterated function system, by the chaos game with many points at once."""
    maps = int(rng.integers(2, 6))
    linear = rng.uniform(-1, 1, (maps, 2, 2))
    linear *= (rng.uniform(0.4, 0.85, maps) / np.linalg.norm(linear, ord=2, axis=(1, 2)))[:, None, None]
    shift = rng.uniform(-1, 1, (maps, 2))
    points = rng.uniform(-1, 1, (4000, 2))
    visited = []
    for step in range(40):
        which = rng.integers(0, maps, len(points))
        points = np.einsum("nij,nj->ni", linear[which], points) + shift[which]
        if step >= 15:
            visited.append(points)
    all_points = np.concatenate(visited)
    low, high = np.percentile(all_points, [1, 99], axis=0)
    x, y = all_points.T
    counts, *_ = np.histogram2d(x, y, bins=SIZE, range=np.stack([low, high + 1e-6], axis=1))
    ink = cv2.GaussianBlur(np.log1p(counts).astype(np.float32), (0, 0), rng.uniform(0.4, 1.0))
    ink = np.clip(ink / max(float(ink.max()), 1e-6), 0, 1)[:, :, None]
    return _bytes(_plain(rng) * (1 - ink) + _plain(rng) * ink)


def shader(rng: Rng) -> RgbImage:
    """Waves of warped coordinates, one mixture per colour channel."""
    y, x = np.mgrid[-1 : 1 : SIZE[0] * 1j, -1 : 1 : SIZE[1] * 1j].astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):
        a, b, c, d = rng.uniform(-4, 4, 4)
        x, y = x + 0.3 * np.sin(a * y + c), y + 0.3 * np.sin(b * x + d)
    channels = []
    for _ in range(3):
        value = np.zeros(SIZE, np.float32)
        for _ in range(int(rng.integers(1, 5))):
            fx, fy = rng.normal(0, 14, 2)
            value += np.sin(fx * x + fy * y + rng.uniform(0, 6.3))
        channels.append(value)
    return _bytes(128 + rng.uniform(20, 70) * np.stack(channels, axis=2))


def lumps(rng: Rng) -> RgbImage:
    """Noise of all scales: leather, stone, cloth, clouds."""
    grey = noise(rng, SIZE, rng.uniform(3, 80), int(rng.integers(1, 6)))[:, :, None]
    if rng.random() < 0.3:
        grey = np.abs(grey) - 0.8  # ridges
    tint = rng.uniform(-15, 15, 3) * noise(rng, SIZE, 60, 2)[:, :, None]
    return _bytes(rng.integers(50, 206, 3) + rng.uniform(6, 60) * grey + tint)


def cells(rng: Rng) -> RgbImage:
    """Cells around random points, with or without joints: grains, tiles, foam."""
    seeds = np.full(SIZE, 255, np.uint8)
    count = int(rng.integers(10, 500))
    if rng.random() < 0.5:
        at = rng.integers(0, SIZE[0], (count, 2))
    else:  # a jittered grid
        pitch = int(rng.integers(10, 60))
        grid = np.stack(np.meshgrid(np.arange(0, SIZE[0], pitch), np.arange(0, SIZE[1], pitch)), axis=2).reshape(-1, 2)
        at = (grid + rng.integers(-pitch // 6, pitch // 6 + 1, grid.shape)).clip(0, SIZE[0] - 1)
    seeds[at[:, 0], at[:, 1]] = 0
    distance, label = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    base, spread = rng.integers(40, 216, 3), rng.uniform(0, 40)
    picture = (base + spread * rng.standard_normal((int(label.max()) + 1, 3)))[label]
    picture += rng.uniform(-3, 3) * distance[:, :, None] + rng.uniform(0, 12) * noise(rng, SIZE, 3, 2)[:, :, None]
    if rng.random() < 0.5:
        picture[cv2.Laplacian(label.astype(np.float32), cv2.CV_32F) != 0] = rng.integers(0, 256, 3)
    return np.asarray(cv2.GaussianBlur(_bytes(picture), (0, 0), rng.uniform(0.3, 1.5)), np.uint8)


def weave(rng: Rng) -> RgbImage:
    """A regular grid, turned: cloth, mesh, knurling, tiles."""
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    warp = rng.uniform(0, 2) * noise(rng, SIZE, 50, 2)
    u, v = np.cos(angle) * x + np.sin(angle) * y + warp, np.cos(angle) * y - np.sin(angle) * x + warp
    pitch = rng.uniform(5, 40)
    along, across = np.sin(2 * np.pi * u / pitch), np.sin(2 * np.pi * v / (pitch * rng.uniform(0.5, 2)))
    pattern = [np.maximum(along, across), along * across, along, np.sign(along) * np.abs(across)][int(rng.integers(4))]
    grain = rng.uniform(0, 0.4) * noise(rng, SIZE, rng.uniform(1, 5), 2)
    return _bytes(rng.integers(50, 206, 3) + rng.uniform(10, 60) * (pattern + grain)[:, :, None])


def metal(rng: Rng) -> RgbImage:
    """A brushed or cast plate under uneven light, some with scratches or rust."""
    brushed = rng.random() < 0.6
    grain = fibres(rng, SIZE, int(rng.integers(10, 90))) if brushed else noise(rng, SIZE, rng.uniform(1, 6), 3)
    light = rng.uniform(0, 25) * noise(rng, SIZE, 150, 1)
    picture = rng.integers(60, 210) + rng.uniform(-10, 10, 3) + (rng.uniform(2, 18) * grain + light)[:, :, None]
    if rng.random() < 0.4:
        where = np.clip(noise(rng, SIZE, rng.uniform(10, 80), 4) - rng.uniform(0, 1.5), 0, 1)[:, :, None]
        rust = np.array([130, 70, 35]) + 25 * noise(rng, SIZE, 4, 3)[:, :, None]
        picture = picture * (1 - where) + rust * where
    return scratched(_bytes(picture), rng)


def fastener(rng: Rng) -> RgbImage:
    """A drawn nut, bolt or screw, sound or damaged."""
    defects = (None, *DEFECTS)
    defect, kind = defects[rng.choice(len(defects))], KINDS[rng.choice(len(KINDS))]
    photo, *_ = draw_fastener(rng, kind=kind, defect=defect)
    return np.asarray(cv2.resize(photo, (384, 288), interpolation=cv2.INTER_AREA), np.uint8)


def scratched(picture: RgbImage, rng: Rng) -> RgbImage:
    """The picture with up to five thin lines or small spots on it, lighter or darker than what they cover."""
    h, w = picture.shape[:2]
    layer: Floats = np.zeros((h, w), np.float32)
    for _ in range(int(rng.integers(0, 6))):
        start = rng.uniform(0, (w, h))
        if rng.random() < 0.7:
            heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, rng.uniform(0, 0.3), 12))
            way = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * rng.uniform(1, 16), axis=0)
            cv2.polylines(
                layer, [(start + way).astype(np.int32)], False, rng.uniform(-1, 1), int(rng.integers(1, 4)), cv2.LINE_AA
            )
        else:
            axes = rng.integers(1, 14, 2).tolist()
            cv2.ellipse(layer, start.astype(int).tolist(), axes, rng.uniform(0, 180), 0, 360, rng.uniform(-1, 1), -1)
    layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 1.2)), np.float32)
    return _bytes(picture + (layer[:, :, None] * rng.uniform(30, 140)))


def _plain(rng: Rng) -> NDArray[np.uint8]:
    return np.full((*SIZE, 3), rng.integers(0, 256, 3), np.uint8)


def _shaded(picture: NDArray[np.uint8], factor: Floats) -> NDArray[np.uint8]:
    return _bytes(picture * factor[:, :, None])


def _bytes(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


KINDS_OF_PICTURES: tuple[Callable[[Rng], RgbImage], ...] = (
    dead_leaves,
    fractal,
    shader,
    lumps,
    cells,
    weave,
    metal,
    fastener,
)
SHARES = (0.2, 0.1, 0.1, 0.12, 0.12, 0.12, 0.2, 0.04)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12)
    options = parser.parse_args()
    for number in range(options.count):
        images.write(options.out / f"{number:05}.png", draw((0, number)))


if __name__ == "__main__":
    main()
