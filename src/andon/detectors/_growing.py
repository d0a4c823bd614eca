"""A memory bank that takes in more OK photos: the greedy order of its coreset goes on.

The rows of the bank are the centres that were taken so far. As long as a patch is farther from all centres than the
bank's radius, the farthest one joins. No patch that the bank was chosen from is that far, so none of them is needed:
the bank is the one that the greedy order, begun with the rows of the old bank, makes of the old and the new patches
together. A bank that was chosen of all of them from the start would have other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from andon.detectors._coreset import points_to_add


class Uncovered(NamedTuple):
    """The patches of new photos that a bank does not cover.

    Attributes:
        patches: (P, D).
        places: (P, 3) see `_memory_bank.places`.
        away: (P,) how far each is from the bank, more than `radius`.
        seen: how many patches the new photos have, the covered ones included.
    """

    patches: Tensor
    places: Tensor
    away: Tensor
    radius: float
    seen: int

    def joining(self, out: Tensor | None = None) -> Tensor:
        """Which of them must join the bank, so that it covers all, or all that are not `out` (P,): indices (n,)."""
        rows = torch.arange(len(self.patches)) if out is None else (~out).nonzero()[:, 0]
        return rows[points_to_add(self.patches[rows], self.away[rows], self.radius)]


def uncovered(
    of_photos: Iterable[Tensor],
    places: Sequence[Tensor],
    nearest: Callable[[Tensor], tuple[Tensor, Tensor]],
    radius: float,
) -> Uncovered:
    """What the bank does not cover of the patches (Pi, D) of each photo. Of the others nothing is kept.

    Args:
        places: gets those of each photo's patches before the patches come.
        nearest: the distance (P,) of patches to the bank, and the nearest row of each.
    """
    found, seen = [], 0
    for number, patches in enumerate(of_photos):
        away, _ = nearest(patches)
        bare = away.double().square() > radius**2
        found.append((patches[bare], places[number][bare], away[bare]))
        seen += len(patches)
    patches_, places_, away_ = (torch.cat(part) for part in zip(*found, strict=True))
    return Uncovered(patches_, places_, away_, radius, seen)
