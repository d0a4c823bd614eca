"""What a pipeline needs of a detector, in numpy alone. `andon.scorers` makes one; so may a test or a server."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from andon.types import Frame, Mask, Measured, Nearest, Scores


class Scorer(Protocol):
    """Scores batches of preprocessed photos (B, H, W, 3) uint8 RGB, within roi (B, H, W) bool.

    Any number of threads may call it at once.
    """

    @property
    def batch_size(self) -> int:
        """How many photos at once it is fastest with."""

    @property
    def precision(self) -> str:
        """What its network computes in: "f32" or "bf16"."""

    def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
        """The scores of the photos."""

    def most_like(self, photos: NDArray[np.uint8], roi: Mask) -> Nearest:
        """For each patch, the nearest patch of the OK photos; for a detector that keeps patches."""

    def refuses(self, frame: Frame) -> str | None:
        """Why the detector cannot score this frame, without a subject ("has no silhouette ..."); None if it can."""

    def measure(self, frame: Frame) -> Measured:
        """What the detector measures on this frame beside its scores."""
