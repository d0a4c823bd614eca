"""From the patches of all OK photos to a memory bank, in the memory that there is."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from andon import resources
from andon.detectors._coreset import coreset_of_coresets, greedy_coreset, points_that_fit
from andon.errors import ConfigError

LOG = logging.getLogger("andon")
SHARE_OF_MEMORY = 0.7  # of what is available; the rest is for photos and the network


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


def coreset(patches: Tensor, ratio: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The greedy coreset of `patches` (P, D), from a random start: (ratio * P, D), and their indices."""
    start = int(torch.randint(len(patches), (1,), generator=generator))
    indices = greedy_coreset(patches, max(1, round(ratio * len(patches))), start=start)
    return patches[indices], indices


def coreset_of_chunks(pieces: Iterator[Tensor], n_patches: int, ratio: float) -> tuple[Tensor, Tensor]:
    """The coreset of the chunks' coresets: (ratio * n_patches, D), and their indices among all patches.

    The largest distance of a patch from it is measured and logged.

    Raises:
        ConfigError: not even the chunks' coresets fit into memory.
    """
    first = next(pieces)
    size, n = len(first), max(1, round(ratio * n_patches))
    most = size // math.ceil(n_patches / size)  # every chunk keeps n
    if n > most:
        feasible = math.floor(1e4 * most / n_patches) / 1e4
        raise ConfigError(
            f"A memory bank of {n} out of {n_patches} patches cannot be chosen in memory that holds {size} patches at "
            f"once; set detector.coreset_ratio to {feasible:g}, or train with fewer photos."
        )
    LOG.warning(
        f"{n_patches} patches do not fit into memory at once, so the memory bank is chosen in two steps: {n} of each "
        f"{size} patches, then {n} of all those."
    )
    bank = coreset_of_coresets(chain([first], pieces), n)
    LOG.info(
        f"No patch is farther than {bank.chunk_radius + bank.radius:.3g} from the memory bank. Measured: at most "
        f"{bank.chunk_radius:.3g} from what the first step chose, and at most {bank.radius:.3g} from there to the bank."
    )
    return bank.features, bank.indices


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
