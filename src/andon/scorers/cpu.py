"""The network in OpenVINO, the rest of the detector in torch.

The rest is torch everywhere, so the same features give the same distances whatever ran the network.
"""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from andon import resources
from andon.backbones import Backbone
from andon.detectors import Detector
from andon.detectors._threads import over_cores
from andon.scorers.compiled_backbone import CompiledBackbone
from andon.scorers.reference import TorchScorer
from andon.types import Mask, Scores


class CpuScorer(TorchScorer):
    """A single photo is scored by all cores; several are scored side by side, each by one core.

    No core then waits for another.
    """

    def __init__(self, detector: Detector[Any], batch_size: int, precision: str) -> None:
        super().__init__(_compiled(detector, precision, streams=1), batch_size, precision)
        self._on_one_core = TorchScorer(_compiled(detector, precision, resources.cpus()), 1, precision)

    def of(self, detector: Detector[Any], backbone: Backbone | None = None) -> Self:
        """The same scorer of another fitted detector, with the compiled networks of this one, or with `backbone`."""
        other = copy.copy(self)
        other.detector = _with_backbone(detector, backbone or self.detector.backbone)
        alone = _with_backbone(detector, backbone or self._on_one_core.detector.backbone)
        other._on_one_core = TorchScorer(alone, 1, self.precision)
        return other

    def __call__(self, x: NDArray[np.float32], roi: Mask) -> Scores:
        if len(x) == 1:
            return super().__call__(x, roi)
        scores = over_cores(self._on_one_core, np.split(x, len(x)), np.split(roi, len(x)))
        return Scores(
            np.concatenate([s.image for s in scores]),
            np.concatenate([s.patch for s in scores]),
            np.concatenate([s.terms for s in scores]),
        )


def _compiled(detector: Detector[Any], precision: str, streams: int) -> Detector[Any]:
    """The same detector, what it has learned not copied, with a backbone that is compiled at its first photo."""
    return _with_backbone(detector, CompiledBackbone(detector.backbone, precision, streams))


def _with_backbone(detector: Detector[Any], backbone: Backbone) -> Detector[Any]:
    other = copy.copy(detector)
    other._modules = detector._modules | {"backbone": backbone}
    return other
