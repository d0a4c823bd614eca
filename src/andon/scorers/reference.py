"""The detector as it is, in torch: what every other scorer must agree with."""

from __future__ import annotations

import copy
import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from andon.detectors import Detector
from andon.errors import AndonError
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

    def __call__(self, x: NDArray[np.float32], roi: Mask) -> Scores:
        _require_threads()
        with torch.inference_mode():
            parts = self.detector.score(*self._to_device(x, roi))
        image, patch, terms = (part.float().cpu().numpy() for part in parts)
        return Scores(image, patch, terms)

    def most_like(self, x: NDArray[np.float32], roi: Mask) -> Nearest:
        """For each patch, the nearest patch of the OK photos; for a detector that keeps patches."""
        with torch.inference_mode():
            distance, origin = self.detector.most_like(*self._to_device(x, roi))
        return Nearest(distance.cpu().numpy(), origin.cpu().numpy())

    def refuses(self, frame: Frame) -> str | None:
        """Why the detector cannot score this frame; None if it can."""
        return self.detector.refuses(frame)

    def measure(self, frame: Frame) -> Measured:
        """What the detector measures on this frame beside its scores."""
        return self.detector.measure(frame)

    def _to_device(self, x: NDArray[np.float32], roi: Mask) -> tuple[torch.Tensor, torch.Tensor]:
        device = next((tensor.device for tensor in self.detector.learned().values()), torch.device("cpu"))
        return torch.from_numpy(x).to(device), torch.from_numpy(roi).to(device)


_first_process: int | None = None


def _require_threads() -> None:
    """Refuse to wait forever: a process that is forked after torch has computed lacks torch's threads.

    Raises:
        AndonError: this is such a process.
    """
    global _first_process
    _first_process = _first_process or os.getpid()
    if _first_process != os.getpid():
        raise AndonError(
            "This process was forked after an inspection, which leaves it without the threads that compute; start "
            "processes with multiprocessing's 'spawn', or load the model in each of them and not before."
        )
