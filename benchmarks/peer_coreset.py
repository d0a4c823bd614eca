"""How long anomalib's coreset takes: `python benchmarks/peer_coreset.py FEATURES.npy N`, run by its own environment.

Prints one line of JSON: the seconds for N centres, from the time of a few (each costs the same) and of the beginning.
"""

import contextlib
import io
import json
import sys
import time
from typing import Any

import numpy as np
import torch
from peer_inspect import declare_operators

FEW, MORE = 5, 45


def main() -> None:
    features = torch.from_numpy(np.load(sys.argv[1]))
    print(json.dumps({"seconds": seconds_for(features, int(sys.argv[2])), "centres_timed": MORE}))


def seconds_for(features: torch.Tensor, n: int) -> float:
    """The seconds for `n` centres among `features` (N, D)."""
    sampler = _sampler()
    torch.manual_seed(0)
    few, more = (_seconds(sampler, features, centres) for centres in (FEW, MORE))
    per_centre = (more - few) / (MORE - FEW)
    return few + (n - FEW) * per_centre


def _sampler() -> type[Any]:
    """anomalib's class."""
    declare_operators()
    from anomalib.models.components.sampling import KCenterGreedy

    sampler: type[Any] = KCenterGreedy
    return sampler


def _seconds(sampler: type[Any], features: torch.Tensor, centres: int) -> float:
    start = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        sampler(features, sampling_ratio=(centres + 0.5) / len(features)).select_coreset_idxs()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
