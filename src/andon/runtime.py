"""Scorers: a taught detector made ready to score numpy batches."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from andon.detectors import Detector
from andon.types import Mask, Scores


class Scorer(Protocol):
    """Scores a batch: x (B, 3, H, W) float32 RGB in [0, 1] and roi (B, H, W) bool."""

    def __call__(self, x: NDArray[np.float32], roi: Mask) -> Scores: ...


class TorchScorer:
    """The detector itself, on the device that it is on: the reference that every other scorer must agree with."""

    def __init__(self, detector: Detector[Any]) -> None:
        self.detector = detector
        self.device = next((tensor.device for tensor in detector.learned().values()), torch.device("cpu"))

    def __call__(self, x: NDArray[np.float32], roi: Mask) -> Scores:
        with torch.inference_mode():
            image, patch = self.detector(torch.from_numpy(x).to(self.device), torch.from_numpy(roi).to(self.device))
        return Scores(image.float().cpu().numpy(), patch.float().cpu().numpy())
