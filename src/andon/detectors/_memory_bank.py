"""From the patches of all OK photos to a memory bank, in the memory that there is."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from andon import resources
from andon.detectors._coreset import coreset_and_radius, coreset_of_coresets, points_that_fit, points_to_add
from andon.detectors._scoring import nearest
from andon.errors import ConfigError
from andon.inference.bank_search import BankSearch

LOG = logging.getLogger("andon")
SHARE_OF_MEMORY = 0.7  # of what is available; the rest is for photos and the network
LEAST_RATIO = 0.005  # of the patches: a bank by radius is no smaller
PHOTOS_DRAWN, PATCHES_DRAWN = 16, 16  # to see how much OK photos differ


def chunk_size(dim: int) -> int:
    """How many patches of `dim` values make a chunk: three of them fit into the memory that is available now."""
    return max(1, points_that_fit(int(SHARE_OF_MEMORY * resources.available_memory()) // 3, dim))


def chunks(parts: Iterable[Tensor], size: int) -> Iterator[tuple[Tensor, list[int]]]:
    """The patches (Pi, D) of `parts` joined to chunks of at most `size`, or of one part where that is larger.

    Each chunk comes with the numbers of its patches from each part, in order.
    """
    held: list[Tensor] = []
    for part in parts:
        if held and sum(map(len, held)) + len(part) > size:
            yield _joined(held)
        held.append(part)
    if held:
        yield _joined(held)


def places(inside: Tensor, photo: int) -> Tensor:
    """Where each patch that is True in `inside` (h, w) comes from: (P, 3) float32.

    It is the number of the photo, and the patch's centre (y, x) in shares of the photo's height and width.
    """
    centres = (inside.nonzero() + 0.5) / torch.tensor(inside.shape)
    return F.pad(centres, (1, 0), value=float(photo))


class Bank(NamedTuple):
    """A memory bank: `rows` (N, D), their `indices` (N,) among all patches, and how far any patch is from them."""

    rows: Tensor
    indices: Tensor
    radius: float


def coreset(patches: Tensor, ratio: float, generator: torch.Generator, radius: float = 0.0) -> Bank:
    """The greedy coreset of `patches` (P, D), from a random start: ratio * P of them.

    Args:
        radius: fewer patches, but no fewer than `LEAST_RATIO` of them, where all are then nearer than this to the bank.
    """
    start = int(torch.randint(len(patches), (1,), generator=generator))
    most, least = (max(1, round(share * len(patches))) for share in (ratio, min(ratio, LEAST_RATIO)))
    indices, reached = coreset_and_radius(patches, most, start=start, least=least, radius=radius)
    return Bank(patches[indices], indices, reached)


def distance_to_other_photos(patches: Tensor, photo: Tensor, generator: torch.Generator) -> Tensor:
    """How far an OK patch is from the nearest one of another OK photo, of patches drawn by chance.

    Args:
        patches: (P, D), those of a photo in one piece.
        photo: (P,) the number of each patch's photo.

    Returns:
        (S,) distances; none where there is one photo.
    """
    counts = photo.bincount()
    counts = counts[counts > 0]
    ends = counts.cumsum(0).tolist()
    found = []
    if len(counts) > 1:
        for drawn in torch.randperm(len(counts), generator=generator)[:PHOTOS_DRAWN].tolist():
            end, count = ends[drawn], int(counts[drawn])
            rows = end - count + torch.randint(count, (PATCHES_DRAWN,), generator=generator)
            others = [other for other in (patches[: end - count], patches[end:]) if len(other)]
            found.append(torch.stack([nearest(patches[rows], other)[0] for other in others]).amin(dim=0))
    return torch.cat(found) if found else patches.new_zeros(0)


def leaving_out(patches: Tensor, bank: Bank, outs: Iterable[Tensor]) -> Iterator[Tensor]:
    """For each mask `out` (P,), a bank of the other patches alone that covers them as closely as `bank` covers all.

    It is `bank` without what is out, to which the greedy order adds the patches that have lost their centre: the
    indices (N,) of each. So no photo is looked at again for cross-validation.
    """
    _, centre = _nearest(patches, bank.rows)
    for out in outs:
        kept = bank.indices[~out[bank.indices]]
        lost = (~out & out[bank.indices[centre]]).nonzero()[:, 0]
        if not len(kept):
            kept = (~out).nonzero()[:1, 0]
        away, _ = _nearest(patches[lost], patches[kept])
        yield torch.cat([kept, lost[points_to_add(patches[lost], away, bank.radius)]])


def _nearest(queries: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """The distance (Q,) of each query (Q, D) to the nearest row of a bank (N, D), and that row's index (Q,)."""
    distance, index = BankSearch(bank.numpy()).nearest(queries.numpy())
    return torch.from_numpy(distance), torch.from_numpy(index)


def coreset_of_chunks(pieces: Iterator[Tensor], n_patches: int, ratio: float, radius: float = 0.0) -> Bank:
    """The coreset of the chunks' coresets: ratio * n_patches of them.

    Args:
        radius: fewer where they are enough to reach it in each of the two steps; what does not fit into memory is then
            left out.

    The largest distance of a patch from it is measured and logged.

    Raises:
        ConfigError: not even the chunks' coresets fit into memory.
    """
    first = next(pieces)
    size, n = len(first), max(1, round(ratio * n_patches))
    most = size // math.ceil(n_patches / size)  # every chunk keeps n
    if radius > 0:
        n = min(n, most)
    if n > most:
        feasible = math.floor(1e4 * most / n_patches) / 1e4
        raise ConfigError(
            f"A memory bank of {n} out of {n_patches} patches cannot be chosen in memory that holds {size} patches at "
            f"once; set detector.coreset_ratio to {feasible:g}, or train with fewer photos."
        )
    up_to = "up to " if radius > 0 else ""
    LOG.warning(
        f"{n_patches} patches do not fit into memory at once, so the memory bank is chosen in two steps: {up_to}{n} "
        f"of each {size} patches, then {up_to}{n} of all those."
    )
    bank = coreset_of_coresets(chain([first], pieces), n, radius)
    LOG.info(
        f"No patch is farther than {bank.chunk_radius + bank.radius:.3g} from the memory bank. Measured: at most "
        f"{bank.chunk_radius:.3g} from what the first step chose, and at most {bank.radius:.3g} from there to the bank."
    )
    return Bank(bank.features, bank.indices, bank.chunk_radius + bank.radius)


def _joined(parts: list[Tensor]) -> tuple[Tensor, list[int]]:
    """`torch.cat` of the parts, emptying the list: each is freed as soon as it is copied, so memory is not doubled."""
    counts = [len(part) for part in parts]
    total = torch.empty(sum(counts), parts[0].shape[1])  # takes memory only as it is filled
    row = len(total)
    while parts:
        part = parts.pop()
        total[row - len(part) : row] = part
        row -= len(part)
    return total, counts
