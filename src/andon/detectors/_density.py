"""Which patches are alone among the photos: without them PatchCore can learn from a set that holds damaged parts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from andon.detectors._scoring import nearest
from andon.progress import track

PHOTOS = 64  # the most that every patch is compared with
QUERIES_AT_ONCE = 4096


def densest(patches: Tensor, counts: Sequence[int], keep: float, neighbors: int, generator: torch.Generator) -> Tensor:
    """Which of the patches (P, D) belong to the share `keep` that is least alone: (P,) bool.

    Args:
        patches: those of all photos, photo after photo.
        counts: how many patches each photo has.
        neighbors: see `aloneness`.
        generator: draws the photos to compare with, where there are more than `PHOTOS`.
    """
    n = max(1, round(keep * len(patches)))
    kept = torch.zeros(len(patches), dtype=torch.bool)
    kept[aloneness(patches, counts, neighbors, generator).topk(n, largest=False).indices] = True
    return kept


def aloneness(patches: Tensor, counts: Sequence[int], neighbors: int, generator: torch.Generator) -> Tensor:
    """How much farther each patch is from its nearest neighbours than these are from theirs: (P,), about 1 if usual.

    The neighbours are the nearest patches of the `neighbors` other photos that come closest, one of each: a dent has
    its like all around it in its own photo, and the like of a second dent in one other, but in no eight. Comparing a
    patch with its neighbours (the idea of the local outlier factor, Breunig et al. 2000) spares the edges and valves
    that every part has, which lie farther apart than patches of plain surface do.

    At most `PHOTOS` photos, drawn at random, are compared with; whole ones, as a sample of their patches would miss
    what each shows only once. Otherwise it is exact. Time: P x patches of these photos x D; memory: P x `PHOTOS` x 8 B.
    """
    starts = [0, *torch.tensor(counts).cumsum(0).tolist()]
    occupied = [photo for photo, count in enumerate(counts) if count]
    others = [occupied[i] for i in torch.randperm(len(occupied), generator=generator)[:PHOTOS].sort().values]
    k = min(neighbors, len(others) - 1)
    if k < 1:
        return torch.ones(len(patches))
    distances = torch.empty(len(patches), len(others))
    rows = torch.empty(len(patches), len(others), dtype=torch.int32)
    for column, other in enumerate(track(others, "looking for damaged photos", len(others))):
        own = slice(starts[other], starts[other + 1])
        for first in range(0, len(patches), QUERIES_AT_ONCE):
            tile = slice(first, first + QUERIES_AT_ONCE)
            distances[tile, column], found = nearest(patches[tile], patches[own])
            rows[tile, column] = own.start + found.int()
        distances[own, column] = torch.inf
    closest = distances.topk(k, dim=1, largest=False)
    distance = closest.values.mean(dim=1)
    around = distance[rows.gather(1, closest.indices).long()].mean(dim=1)
    return distance / around.clamp(min=torch.finfo(torch.float32).tiny)
