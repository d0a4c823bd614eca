"""Coresets that can be put together: of each part of the patches its own, and then one of all that these hold.

What is promised of it is four times the smallest possible radius, where the greedy coreset of all patches at once
promises twice (two rounds: Malkomes et al., NeurIPS 2015; composable core-sets: Indyk et al. 2014). With larger
coresets of the parts it comes down towards 2 + epsilon (Ceccarello et al., arXiv 1802.09205). What the radius is in the
end is measured: radii of steps add up.

For cross-validation some rows are `out`: a fold's bank may not know them. Beside the coreset of all, a cover holds the
patches that stand in for these in each fold, so that no photo is looked at again, however often covers are merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from andon.detectors._coreset import coreset_and_radius
from andon.detectors._memory_bank import Bank, replacements


class Kept(NamedTuple):
    """Patches that are kept.

    Attributes:
        rows: (K, D).
        labels: (K, ...) what each is known by.
        out: (K, F) bool, the folds that may not know it.
    """

    rows: Tensor
    labels: Tensor
    out: Tensor

    def at(self, indices: Tensor) -> Kept:
        """Those at the indices (n,), or where a mask (K,) is True."""
        return Kept(self.rows[indices], self.labels[indices], self.out[indices])


class Cover(NamedTuple):
    """What stands for many patches.

    Attributes:
        chosen: no patch is farther than `radius` from these.
        spare: for each fold, what joins those of `chosen` that it may know, so that no patch that it may know is
            farther than `radius` from them.
    """

    chosen: Kept
    spare: tuple[Kept, ...]
    radius: float

    def __len__(self) -> int:
        """How many patches it holds."""
        return len(self.chosen.rows) + sum(len(more.rows) for more in self.spare)

    def without(self, fold: int) -> Kept:
        """The bank of a fold."""
        return joined([self.chosen.at(~self.chosen.out[:, fold]), self.spare[fold]])


def cover(patches: Kept, n: int, radius: float = 0.0, start: int = 0, least: int = 1) -> Cover:
    """The greedy coreset of patches that fit into memory, `n` of them at most, and what each fold needs besides.

    Args:
        radius: fewer, but no fewer than `least`, where these leave every patch nearer than this.
        start: the patch that is taken first.
    """
    most = min(n, len(patches.rows))
    indices, reached = coreset_and_radius(patches.rows, most, start=start, least=min(least, most), radius=radius)
    bank = Bank(patches.rows[indices], indices, reached)
    added = replacements(patches.rows, bank, list(patches.out.T))
    return Cover(patches.at(indices), tuple(patches.at(rows) for rows in added), reached)


def merged(covers: Sequence[Cover], n: int, radius: float = 0.0) -> Cover:
    """The coreset of all that covers hold: `n` patches at most, and fewer as in `cover`.

    Its radius is the largest of theirs, and on top of it what this step leaves. A fold's bank may also take what is
    spare for it.
    """
    chosen = joined([one.chosen for one in covers])
    indices, reached = coreset_and_radius(chosen.rows, min(n, len(chosen.rows)), radius=radius)
    bank = Bank(chosen.rows[indices], indices, reached)
    spare = []
    for fold, parts in enumerate(zip(*(one.spare for one in covers), strict=True)):
        all_rows = joined([chosen, *parts])  # what was chosen keeps its place
        (added,) = replacements(all_rows.rows, bank, [all_rows.out[:, fold]])
        spare.append(all_rows.at(added))
    return Cover(chosen.at(indices), tuple(spare), max(one.radius for one in covers) + reached)


def joined(parts: Sequence[Kept]) -> Kept:
    """All of them, one after the other."""
    return Kept(*map(torch.cat, zip(*parts, strict=True)))
