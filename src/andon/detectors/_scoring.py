"""Nearest neighbours, and from patch scores to an image score."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

ImageScore = Literal["maximum", "percentile", "top_k_mean", "top_share_mean"]
BANK_ROWS_AT_ONCE = 512


def nearest(queries: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Exact L2 distance (Q,) of each query (Q, D) to its nearest row of `bank` (N, D), and that row's index (Q,).

    The search minimises |y|^2 - 2xy, a matrix product, tile by tile of the bank: its result never leaves the cache. The
    distance of the row that it finds is then taken from the difference itself, which loses no digits where the two are
    close.
    """
    found = [
        torch.addmm(tile.square().sum(dim=1), queries, tile.T, alpha=-2).min(dim=1)
        for tile in torch.split(bank, BANK_ROWS_AT_ONCE)
    ]
    winner = torch.stack([tile.values for tile in found]).argmin(dim=0)
    row = torch.stack([tile.indices for tile in found]).gather(0, winner.unsqueeze(0)).squeeze(0)
    index = winner * BANK_ROWS_AT_ONCE + row
    return (queries - bank[index]).square().sum(dim=1).sqrt(), index


def neighbours(queries: Tensor, bank: Tensor, k: int, norms: Tensor | None = None) -> Tensor:
    """Indices (Q, k) of the k nearest rows of `bank` (N, D) to each query (Q, D), nearest first.

    Args:
        norms: (N,) the rows' squared lengths, where they are known already.
    """
    norms = bank.square().sum(dim=1) if norms is None else norms
    k = min(k, bank.shape[0])
    return torch.addmm(norms, queries, bank.T, alpha=-2).topk(k, dim=1, largest=False).indices


def aggregate(
    scores: Tensor, inside: Tensor, how: ImageScore, *, percentile: float = 95, top_k: int = 1, top_share: float = 0.01
) -> Tensor:
    """The image score (B,) of the patch scores (B, P) >= 0 that are `inside` (B, P) the ROI; 0 where none is.

    Args:
        percentile, top_k, top_share: what the ways that are named after them need; the share is of the patches inside.
    """
    if how == "maximum":
        return (scores * inside).amax(dim=1)
    count = inside.sum(dim=1).clamp(min=1)
    if how == "top_k_mean":
        return _mean_of_highest(scores * inside, count.clamp(max=top_k))
    if how == "top_share_mean":
        return _mean_of_highest(scores * inside, (top_share * count).round().long().clamp(min=1))
    ascending = torch.where(inside, scores, -torch.ones_like(scores)).sort(dim=1).values  # outside comes first
    position = scores.shape[1] - count + percentile / 100 * (count - 1)  # linear between ranks, as numpy's percentile
    below = position.floor().long()
    above = (below + 1).clamp(max=scores.shape[1] - 1)
    low = ascending.gather(1, below.unsqueeze(1)).squeeze(1)
    high = ascending.gather(1, above.unsqueeze(1)).squeeze(1)
    return (low + (high - low) * (position - below)).clamp(min=0)


def _mean_of_highest(scores: Tensor, k: Tensor) -> Tensor:
    """The mean (B,) of the k (B,) highest of the scores (B, P) of each photo."""
    highest = scores.topk(int(k.max()), dim=1).values
    counts = torch.arange(highest.shape[1], device=scores.device) < k.unsqueeze(1)
    return (highest * counts).sum(dim=1) / k
