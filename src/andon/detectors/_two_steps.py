"""A memory bank of more patches than fit into memory at once: the coreset of the coresets of chunks."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from andon.detectors._covers import Cover, Kept, cover, merged
from andon.detectors._memory_bank import Bank, Piece, among
from andon.errors import ConfigError

LOG = logging.getLogger("andon")


@dataclass(frozen=True, eq=False)
class CoresetOfCoresets:
    """Attributes:
    bank: what was chosen. No patch is farther from it than its radius, `chunk_radius` + `step_radius`.
    without: for each fold, what is chosen of the other photos' patches, with the same radius.
    chunk_radius: the largest distance of a patch to the coreset of its chunk.
    step_radius: the largest distance from those coresets to the bank.
    """

    bank: Bank
    without: tuple[Bank, ...]
    chunk_radius: float
    step_radius: float


def coreset_of_chunks(
    pieces: Iterable[Piece],
    size: int,
    n_patches: int,
    ratio: float,
    radius: float = 0.0,
    folds: Sequence[frozenset[int]] = (),
) -> CoresetOfCoresets:
    """The coreset of the chunks' coresets: ratio * n_patches of them.

    Args:
        size: how many patches the first chunk has, so about how many fit into memory.
        radius: fewer where they are enough to reach it in each of the two steps; what does not fit into memory is then
            left out.
        folds: numbers of photos.

    The largest distance of a patch from it is measured and logged.

    Raises:
        ConfigError: not even the chunks' coresets fit into memory.
    """
    n = max(1, round(ratio * n_patches))
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
    made = coreset_of_coresets(pieces, n, radius, folds)
    LOG.info(
        f"No patch is farther than {made.bank.radius:.3g} from the memory bank. Measured: at most "
        f"{made.chunk_radius:.3g} from what the first step chose, and at most {made.step_radius:.3g} from there to "
        "the bank."
    )
    return made


def put_back(first: Piece, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """`first` and the other pieces. It lets go of each before it takes the next."""
    yield first
    del first
    yield from pieces


def coreset_of_coresets(
    pieces: Iterable[Piece], n: int, radius: float = 0.0, folds: Sequence[frozenset[int]] = ()
) -> CoresetOfCoresets:
    """A coreset of more patches than fit into memory at once: the coreset of every chunk's own coreset.

    Each of the two steps leaves at most twice the smallest possible radius uncovered: four times in all, where
    `greedy_coreset` promises twice (Malkomes et al. 2015; composable core-sets: Indyk et al. 2014). What the
    radius is in the end is measured.

    Of each chunk those patches are kept besides that a fold's bank needs in place of what it may not know. So both
    steps hold for it as they do for the bank of all, and no photo is looked at again.

    Args:
        pieces: the chunks, read one at a time; what is kept of them, n patches each and those for the folds, must fit
            together.
        n: how many patches it has.
        radius: each step takes fewer where they leave every patch nearer than this.
        folds: numbers of photos.
    """
    covers: list[Cover] = []
    n_before = 0
    for patches, photo, _ in pieces:
        out = torch.stack([among(photo, fold) for fold in folds], 1) if folds else torch.empty(len(patches), 0).bool()
        indices = torch.arange(n_before, n_before + len(patches))
        covers.append(cover(Kept(patches, indices, out), n, radius))
        n_before += len(patches)
        del patches  # before the next chunk is read
    made = merged(covers, n, radius)
    chunk_radius = max(one.radius for one in covers)
    banks = [made.chosen, *(made.without(fold) for fold in range(len(folds)))]
    whole, *without = (Bank(kept.rows, kept.labels, made.radius) for kept in banks)
    return CoresetOfCoresets(whole, tuple(without), chunk_radius, made.radius - chunk_radius)
