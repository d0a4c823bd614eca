"""Scorers: a fitted detector made ready to score numpy batches, as `line.scorer.Scorer` says.

`TorchScorer` is the detector as it is, the reference. `CpuScorer` runs its network in OpenVINO. A detector does not
know of any of this, and a pipeline knows nothing else.
"""

from __future__ import annotations

import copy
import os
from typing import Any, Literal, cast, get_args

import torch

from andon import resources
from andon.detectors import Detector
from andon.errors import ConfigError
from andon.line.scorer import Scorer
from andon.plugins import suggestion
from andon.scorers.cpu import CpuScorer
from andon.scorers.reference import TorchScorer
from andon.types import Precision

__all__ = ["CpuScorer", "TorchScorer", "fastest_scorer", "reference_scorer", "settle"]

AUTO = "ANDON_PRECISION"
"""The environment variable that says what "auto" means on this machine."""


def reference_scorer(detector: Detector[Any], batch_size: int = 8) -> Scorer:
    """The detector as it is, in torch: what every other scorer must agree with."""
    return TorchScorer(detector, batch_size)


def fastest_scorer(detector: Detector[Any], batch_size: int = 8, precision: Precision = "auto") -> Scorer:
    """The GPU where there is one, else OpenVINO for the network. The detector itself is left as it is.

    Nothing is compiled before the first photo.

    Args:
        batch_size: for a GPU. A CPU takes two photos per core at least.
        precision: a GPU computes in f32 whatever it says.
    """
    if torch.cuda.is_available():
        return TorchScorer(copy.deepcopy(detector).to("cuda"), batch_size)
    return CpuScorer(detector, max(batch_size, 2 * resources.cpus()), settle(precision))


def settle(precision: Precision) -> Literal["f32", "bf16"]:
    """What "auto" means here: what ANDON_PRECISION says, else bf16 where the processor has matrix instructions for it.

    Where it has only vector instructions for bf16 (AVX-512), the networks take nearly twice as long as in f32.

    Raises:
        ConfigError: ANDON_PRECISION is not a precision.
    """
    if precision == "auto":
        precision = cast(Precision, os.environ.get(AUTO, "auto"))
    if precision == "auto":
        return "bf16" if resources.has_amx() else "f32"
    if precision not in get_args(Precision):
        raise ConfigError(f"{AUTO} is {precision!r}; {suggestion(precision, list(get_args(Precision)))}")
    return precision
