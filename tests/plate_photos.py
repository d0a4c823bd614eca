"""Drawn parts with known answers, small enough that a model is taught in a second.

A part is a grey plate with a bore on a dark table, on a photo that is not square. Plates differ in their grain and in
where a few dark pits lie, as castings do, so that no two photos are taken for the same picture.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from andon import images
from andon.types import Mask, RgbImage

SIZE = (96, 144)
SPOT_AT = (105, 60)  # x, y
SPOT_RADIUS = 9
ORANGE = (200, 90, 20)
FAST_WITH_ANY_DETECTOR = ("steps.resize.image_size=64", "anomaly_map.sigma=1", "calibration.review=false")
"""Settings that make the default recipe quick on these photos. The six that calibrate would set half of the OK photos
aside for review."""
FAST = (*FAST_WITH_ANY_DETECTOR, "detector.target_dim=256")
"""With these dimensions the OK photos of most tests happen to lie below the highest of the six."""


def part(seed: int, *, size: tuple[int, int] = SIZE) -> RgbImage:
    """A sound part, (H, W, 3) uint8 RGB."""
    rng = np.random.default_rng(seed)
    photo = np.full((*SIZE, 3), 40, np.uint8)
    cv2.rectangle(photo, (16, 14), (127, 81), (140, 140, 140), cv2.FILLED)
    cv2.circle(photo, (52, 48), 14, (60, 60, 60), cv2.FILLED)
    for x, y in rng.integers((20, 18), (124, 78), size=(12, 2)):
        cv2.circle(photo, (int(x), int(y)), 2, (105, 105, 105), cv2.FILLED)
    grain = rng.normal(0, 6, (*SIZE, 1))
    photo = np.clip(photo + grain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(photo, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)


def rusty(seed: int, *, size: tuple[int, int] = SIZE) -> tuple[RgbImage, Mask]:
    """The same part with an orange spot, and where the spot is, (H, W) bool."""
    mask = np.zeros(SIZE, np.uint8)
    cv2.circle(mask, SPOT_AT, SPOT_RADIUS, 1, cv2.FILLED)
    resized = cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_NEAREST).astype(bool)
    photo = part(seed, size=size)
    photo[resized] = ORANGE
    return photo, resized


def write_parts(folder: Path, seeds: range) -> list[Path]:
    """A photo of a sound part for each seed."""
    paths = [folder / f"{seed:03d}.png" for seed in seeds]
    for path, seed in zip(paths, seeds, strict=True):
        images.write(path, part(seed))
    return paths


def write_data(root: Path, *, n_train: int = 8, n_calibration: int = 6, n_test: int = 2) -> Path:
    """A data set in the MVTec layout: sound parts to learn from, to calibrate and to test, and rusty ones to test."""
    write_parts(root / "train" / "good", range(n_train))
    write_parts(root / "validation" / "good", range(100, 100 + n_calibration))
    write_parts(root / "test" / "good", range(200, 200 + n_test))
    for seed in range(300, 300 + n_test):
        photo, mask = rusty(seed)
        images.write(root / "test" / "rust" / f"{seed}.png", photo)
        images.write(
            root / "ground_truth" / "rust" / f"{seed}_mask.png", np.repeat(mask[:, :, None], 3, 2) * np.uint8(255)
        )
    return root
