"""Which scorer a detector gets on this machine."""

from __future__ import annotations

import copy
from typing import Any, cast

import torch

from andon.detectors import Detector
from andon.inference.memory_bank import MemoryBank
from andon.line.scorer import Scorer
from andon.scorers.convert import DetectorSource
from andon.scorers.cpu import CpuScorer
from andon.scorers.graph import GraphScorer
from andon.scorers.precision import settle
from andon.scorers.reference import TorchScorer
from andon.types import Precision


def reference_scorer(detector: Detector[Any], batch_size: int = 8) -> Scorer:
    """The detector as it is, in torch: what every other scorer must agree with."""
    return TorchScorer(detector, batch_size)


def fastest_scorer(detector: Detector[Any], batch_size: int = 8, precision: Precision = "auto") -> Scorer:
    """The GPU where there is one, else OpenVINO for what it can compute. The detector itself is left as it is.

    Nothing is compiled before the first photo.

    Args:
        batch_size: for a GPU. A CPU takes two photos per core at least.
        precision: a GPU computes in f32 whatever it says, and without TF32 in the whole process: that rounds to 10
            bits, and moves scores by a thousandth.
    """
    if torch.cuda.is_available():
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        return TorchScorer(copy.deepcopy(detector).to("cuda"), batch_size)
    if detector.is_fitted and (memory := detector.memory()) is not None:
        return GraphScorer(DetectorSource(detector), memory, settle(precision), batch_size)
    return CpuScorer(detector, batch_size, settle(precision))


def of_other_bank(scorer: Scorer, detector: Detector[Any]) -> Scorer:
    """The scorer of `fastest_scorer`, of the same detector with another memory bank; nothing is compiled again."""
    if isinstance(scorer, TorchScorer):
        return scorer.of(detector)
    return cast(GraphScorer, scorer).of(cast(MemoryBank, detector.memory()))
