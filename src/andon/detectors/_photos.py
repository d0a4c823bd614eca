"""Which photos a training by gradient learns from, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from andon.detectors._base import Batch
from andon.errors import ConfigError, DatasetError

MIN_PHOTOS = 4
HELD_OUT_SHARE = 10  # a tenth
MAX_HELD_OUT = 32  # they stay in memory
POOL_BYTES = 2**28  # photos are mixed with as many others as fit into this


def choose(batches: Iterable[Batch], generator: torch.Generator) -> Tensor:
    """(N,) bool: which photos train; the others are held out."""
    n = sum(len(x) for x, _ in batches)
    if n < MIN_PHOTOS:
        raise DatasetError(
            f"Only {n} of the OK photos can train, as the others calibrate, but a detector that learns by gradient "
            f"needs {MIN_PHOTOS}, better 50; add OK photos."
        )
    order = torch.randperm(n, generator=generator)
    return order >= min(max(n // HELD_OUT_SHARE, 1), MAX_HELD_OUT)


def those(chosen: Tensor, batches: Iterable[Batch]) -> Iterator[Batch]:
    """The chosen photos (N,) of all batches, blanked outside the ROI."""
    first = 0
    for x, roi in batches:
        rows = chosen[first : first + len(x)]
        first += len(x)
        if rows.any():
            yield x[rows] * roi[rows].unsqueeze(1), roi[rows]


def mixed(batches: Iterable[Batch], generator: torch.Generator) -> Iterator[Batch]:
    """The same photos in another order, shuffled among as many as fit into `POOL_BYTES`."""
    pool: list[Batch] = []
    for batch in batches:
        pool.append(batch)
        if sum(x.nbytes for x, _ in pool) >= POOL_BYTES:
            yield from _shuffled(pool, generator)
            pool = []
    if pool:
        yield from _shuffled(pool, generator)


def _shuffled(batches: list[Batch], generator: torch.Generator) -> Iterator[Batch]:
    if len({x.shape[1:] for x, _ in batches}) > 1:
        raise ConfigError("Photos are of different sizes after preprocessing; add the step 'resize'.")
    x, roi = torch.cat([x for x, _ in batches]), torch.cat([roi for _, roi in batches])
    for rows in torch.randperm(len(x), generator=generator).tensor_split(len(batches)):
        yield x[rows], roi[rows]
