"""A scorer in numpy alone, so that a pipeline inspects without a detector, a network or torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from andon.line.calibration import CalibrationRule, calibrate
from andon.line.pipeline import Pipeline
from andon.types import Frame, Mask, Measured, Nearest, Scores

BLOCK = 8


@dataclass(frozen=True)
class Orangeness:
    """How orange each block of 8 x 8 pixels is; rust on a grey plate is all that it knows."""

    batch_size: int = 4
    precision: str = "f32"

    def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
        x = photos.astype(np.float32) / 255
        orange = np.where(roi, np.clip(x[..., 0] - x[..., 2], 0, None), 0)
        n, height, width = orange.shape
        blocks = orange.reshape(n, height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean(axis=(2, 4), dtype=np.float32)
        return Scores(blocks.max(axis=(1, 2)), blocks, np.empty((n, 0), np.float32))

    def most_like(self, photos: NDArray[np.uint8], roi: Mask) -> Nearest:
        raise NotImplementedError("It keeps no patches.")

    def refuses(self, frame: Frame) -> str | None:
        return "is too small." if min(frame.size) < BLOCK else None

    def measure(self, frame: Frame) -> Measured:
        return Measured(notes=(f"{frame.size[1]} pixels wide",))


def orange_pipeline() -> Pipeline:
    """Rust is NG, grey plates are OK; photos need sides that are multiples of 8."""
    ok_scores = [0.01 * n for n in range(1, 11)]
    calibration = calibrate(CalibrationRule(review=False), ok_scores, ok_scores)
    return Pipeline(steps=(), scorer=Orangeness(), map_sigma=1.0, calibration=calibration)
