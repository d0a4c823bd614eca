"""The network in OpenVINO, the rest of the detector in torch.

The rest is torch everywhere, so the same features give the same distances whatever ran the network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from andon import resources
from andon.backbones import Backbone
from andon.detectors import Detector
from andon.detectors._threads import over_cores
from andon.scorers.compiled_backbone import CompiledBackbone
from andon.scorers.convert import with_backbone
from andon.scorers.reference import TorchScorer
from andon.types import Mask, Scores


class CpuScorer(TorchScorer):
    """A single photo is scored by all cores; several are scored side by side, each by one core.

    No core then waits for another.

    Args:
        backbone: what computes the features; the detector's own, compiled, unless given.
    """

    def __init__(
        self, detector: Detector[Any], batch_size: int, precision: str, backbone: Backbone | None = None
    ) -> None:
        cores = resources.cpus()
        on_all_cores = backbone or CompiledBackbone(detector.backbone, precision, streams=1)
        on_one_core = backbone or CompiledBackbone(detector.backbone, precision, streams=cores)
        super().__init__(with_backbone(detector, on_all_cores), max(batch_size, 2 * cores), precision)
        self._on_one_core = TorchScorer(with_backbone(detector, on_one_core), 1, precision)

    def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
        if len(photos) == 1:
            return super().__call__(photos, roi)
        scores = over_cores(self._on_one_core, np.split(photos, len(photos)), np.split(roi, len(photos)))
        return Scores(
            np.concatenate([s.image for s in scores]),
            np.concatenate([s.patch for s in scores]),
            np.concatenate([s.terms for s in scores]),
        )
