"""Nearest neighbours in torch, and from patch scores to an image score."""

from __future__ import annotations

import torch
from torch import Tensor

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


def neighbours(queries: Tensor, bank: Tensor, k: int) -> Tensor:
    """Indices (Q, k) of the k nearest rows of `bank` (N, D) to each query (Q, D), nearest first."""
    norms = bank.square().sum(dim=1)
    k = min(k, bank.shape[0])
    return torch.addmm(norms, queries, bank.T, alpha=-2).topk(k, dim=1, largest=False).indices


def top_k_mean(scores: Tensor, inside: Tensor, k: int) -> Tensor:
    """The mean (B,) of the k highest patch scores (B, P) >= 0 that are `inside` (B, P) the ROI; 0 where none is."""
    count = inside.sum(dim=1).clamp(min=1, max=k).unsqueeze(1)
    highest = (scores * inside).topk(min(k, scores.shape[1]), dim=1).values
    counts = torch.arange(highest.shape[1], device=scores.device) < count
    return (highest * counts).sum(dim=1) / count.squeeze(1)
