"""From the patches of all OK photos to a memory bank, in the memory that there is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from andon import resources
from andon.detectors._coreset import coreset_and_radius, points_that_fit, points_to_add
from andon.detectors._scoring import nearest
from andon.detectors._threads import over_cores
from andon.inference.bank_search import BankSearch
from andon.progress import track

LEAVING_OUT = "leaving photos out"
"""The phase of `andon.progress`; its items are searches."""

SHARE_OF_MEMORY = 0.7  # of what is available; the rest is for photos and the network
LEAST_RATIO = 0.005  # of the patches: a bank by radius is no smaller
PHOTOS_DRAWN, PATCHES_DRAWN = 16, 16  # to see how much OK photos differ
FEWEST_TO_HALVE = 4  # photos
QUERIES_AT_ONCE = 2**16  # in one search


def chunk_size(dim: int) -> int:
    """How many patches of `dim` values make a chunk: three of them fit into the memory that is available now."""
    return max(1, points_that_fit(int(SHARE_OF_MEMORY * resources.available_memory()) // 3, dim))


class Chunk(NamedTuple):
    """`patches` (P, D), how many of them each part gave, in order, and whether there are `more` chunks behind it."""

    patches: Tensor
    counts: list[int]
    more: bool


def chunks(parts: Iterable[Tensor], size: int) -> Iterator[Chunk]:
    """The patches (Pi, D) of `parts` joined to chunks of at most `size`, or of one part where that is larger."""
    room, counts = torch.empty(0), list[int]()
    for part in parts:
        filled = sum(counts)
        if counts and filled + len(part) > size:
            yield Chunk(room[:filled], counts, more=True)
            filled, counts = 0, []
        if not counts:
            del room  # before there is another
            room = torch.empty(max(size, len(part)), part.shape[1])  # takes memory only as it is filled
        room[filled : filled + len(part)] = part
        counts.append(len(part))
    if counts:
        yield Chunk(room[: sum(counts)], counts, more=False)


def places(inside: Tensor, photo: int) -> Tensor:
    """Where each patch that is True in `inside` (h, w) comes from: (P, 3) float32.

    It is the number of the photo, and the patch's centre (y, x) in shares of the photo's height and width.
    """
    centres = (inside.nonzero() + 0.5) / torch.tensor(inside.shape)
    return F.pad(centres, (1, 0), value=float(photo))


class Piece(NamedTuple):
    """Patches (P, D), the number (P,) of each one's photo, and whether there are `more` pieces behind it."""

    patches: Tensor
    photo: Tensor
    more: bool


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


def distance_to_other_photos(
    patches: Tensor, photo: Tensor, generator: torch.Generator, most: float, share: float = 1.0
) -> float:
    """How far most OK patches are, at most, from the nearest one of another OK photo; measured on some of them.

    Args:
        patches: (P, D), those of a photo in one piece.
        photo: (P,) the number of each patch's photo.
        most: the share of the patches that are no farther.
        share: of all photos, that these are. The more photos, the nearer the nearest; how it falls with their number is
            seen from half of these, and goes on as a power of it.

    Returns:
        0 where there is one photo.
    """
    counts = photo.bincount()
    of_photos = torch.split(patches, counts[counts > 0].tolist())
    if len(of_photos) < 2:
        return 0.0
    drawn = torch.randperm(len(of_photos), generator=generator)[:PHOTOS_DRAWN].tolist()
    rows = [torch.randint(len(of_photos[one]), (PATCHES_DRAWN,), generator=generator) for one in drawn]
    queries = torch.cat([of_photos[one][row] for one, row in zip(drawn, rows, strict=True)])
    away = torch.stack(over_cores(lambda others: nearest(queries, others)[0], of_photos))
    away[torch.tensor(drawn).repeat_interleave(PATCHES_DRAWN), torch.arange(len(queries))] = torch.inf  # its own photo
    return usual_distance(away, most, share)


def usual_distance(away: Tensor, most: float, share: float = 1.0) -> float:
    """How far most OK patches are, at most, from the nearest one of another OK photo.

    Args:
        away: (photos, patches) how far patches are from each photo; infinity for their own.
        most, share: see `distance_to_other_photos`.
    """
    usual = float(away.amin(dim=0).quantile(most))
    half = float(away[::2].amin(dim=0).quantile(most)) if share < 1 and len(away) > FEWEST_TO_HALVE else usual
    return usual * (share ** math.log2(half / usual) if usual > 0 else 1.0)


def leaving_out(patches: Tensor, bank: Bank, outs: Iterable[Tensor]) -> Iterator[Tensor]:
    """For each mask `out` (P,), a bank of the other patches alone that covers them as closely as `bank` covers all.

    It is `bank` without what is out and with the `replacements`: the indices (N,) of each. So no photo is looked at
    again for cross-validation.
    """
    outs = list(outs)
    for out, added in zip(outs, replacements(patches, bank, outs), strict=True):
        yield torch.cat([bank.indices[~out[bank.indices]], added])


def replacements(patches: Tensor, bank: Bank, outs: Sequence[Tensor]) -> Iterator[Tensor]:
    """For each mask `out` (P,), the patches that must join `bank`, when what is out leaves it, to cover the others.

    The greedy order goes on with the patches that have lost their centre: the indices (N,) of each.
    """
    centre = _nearest(patches, bank.rows)[1] if outs else bank.indices
    for out in outs:
        kept = bank.indices[~out[bank.indices]]
        begin = kept[:0] if len(kept) else (~out).nonzero()[:1, 0]
        if len(kept) + len(begin) == 0:  # there are no others
            yield begin
            continue
        lost = (~out & out[bank.indices[centre]]).nonzero()[:, 0]
        away, _ = _nearest(patches[lost], patches[torch.cat([kept, begin])])
        bare = away.double().square() > bank.radius**2  # the others never come first
        lost = lost[bare]
        yield torch.cat([begin, lost[points_to_add(patches[lost], away[bare], bank.radius)]])


def among(photo: Tensor, fold: frozenset[int]) -> Tensor:
    """(P,) whether the photo of each patch is in the fold."""
    return torch.isin(photo, torch.tensor(sorted(fold)))


def _nearest(patches: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """`BankSearch.nearest`, part by part: what a search leaves behind must not pile up beside all patches."""
    search = BankSearch(rows.numpy())
    parts = torch.split(patches, QUERIES_AT_ONCE)
    found = [search.nearest(part.numpy()) for part in track(parts, LEAVING_OUT, len(parts))]
    distances, indices = (torch.cat([torch.from_numpy(part) for part in each]) for each in zip(*found, strict=True))
    return distances, indices
