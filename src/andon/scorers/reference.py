"""The detector as it is, in torch: what every other scorer must agree with."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from andon.detectors import Detector
from andon.scorers.graph import require_threads
from andon.types import Frame, Mask, Measured, Nearest, Scores


class TorchScorer:
    """A `line.scorer.Scorer` of a detector on whatever device what it learned is on.

    Attributes:
        batch_size: how many photos at once it is fastest with.
        precision: "f32" or "bf16": what the network computes in. All else is float32.
    """

    def __init__(self, detector: Detector[Any], batch_size: int, precision: str = "f32") -> None:
        self.detector = detector
        self.batch_size = batch_size
        self.precision = precision

    def of(self, detector: Detector[Any]) -> TorchScorer:
        """The same scorer of another fitted detector."""
        device = next(iter(self.detector.learned().values())).device
        moved = detector if device.type == "cpu" else copy.deepcopy(detector).to(device)
        return TorchScorer(moved, self.batch_size, self.precision)

    def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
        require_threads()
        with torch.inference_mode():
            parts = self.detector.score(*self._to_device(photos, roi))
        image, patch, terms = (part.float().cpu().numpy() for part in parts)
        return Scores(image, patch, terms)

    def most_like(self, photos: NDArray[np.uint8], roi: Mask) -> Nearest:
        """For each patch, the nearest patch of the OK photos; for a detector that keeps patches."""
        with torch.inference_mode():
            distance, origin = self.detector.most_like(*self._to_device(photos, roi))
        return Nearest(distance.cpu().numpy(), origin.cpu().numpy())

    def refuses(self, frame: Frame) -> str | None:
        """Why the detector cannot score this frame; None if it can."""
        return self.detector.refuses(frame)

    def measure(self, frame: Frame) -> Measured:
        """What the detector measures on this frame beside its scores."""
        return self.detector.measure(frame)

    def _to_device(self, photos: NDArray[np.uint8], roi: Mask) -> tuple[torch.Tensor, torch.Tensor]:
        device = next((tensor.device for tensor in self.detector.learned().values()), torch.device("cpu"))
        x = torch.from_numpy(photos).to(device).permute(0, 3, 1, 2).contiguous().float() / 255
        return x, torch.from_numpy(roi).to(device)
