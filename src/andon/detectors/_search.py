"""The nearest row of a memory bank: screened in whole numbers, settled in float32; the same row as a full search finds.

Rows and queries are rounded to whole numbers from -127 to 127, times a step. How far that moved each point is known, so
by the triangle inequality a row can lie within a distance d of a query only if the rounded points are no farther apart
than d + (how far the query moved) + (how far any row moved). Products of such numbers are exact, and fast where the
processor has instructions for 8 bits. They leave about two rows per query open, which are measured in float32. Where
rows lie so close together that many stay open, float32 products screen them, whose error is bounded too.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from andon.detectors._scoring import nearest, neighbours
from andon.detectors._threads import over_cores

LARGEST = 127  # of the whole numbers: they fit into 8 bits
GROUP = 64  # rows that are looked at together before they are looked at one by one
ROWS, QUERIES = 1024, 128  # compared at once: half a megabyte, which stays in the cache
MOST_OPEN = 0.0015  # of all pairs, by whole numbers; beyond that float32 products are faster than measuring them
MOST_OPEN_FLOAT = 0.03  # of all pairs, by float32 products; beyond that float64 products are faster
SLACK = 1 + 1e-5  # more than float32 loses in a distance
ROUNDING = 2**-24  # of float32


class BankSearch:
    """The search in one bank.

    Attributes:
        bank: (N, D) float32.
    """

    def __init__(self, bank: Tensor) -> None:
        self.bank = bank
        self._norms = torch.linalg.vector_norm(bank, dim=1).square()
        self._origin = bank.mean(dim=0)
        low, high = bank.amin(dim=0), bank.amax(dim=0)
        self._step = torch.maximum(high - self._origin, self._origin - low).amax().item() / LARGEST or 1.0
        rows, half_norms, lengths, self._moved = [], [], [], 0.0
        for part in torch.split(bank, ROWS):  # in parts, so that no other float32 copy of the bank is made
            codes, moved = self._round(part)
            rows.append(codes.to(torch.int8))
            half_norms.append((codes.square().sum(dim=1, keepdim=True) / 2).int())
            self._moved = max(self._moved, moved.amax().item())
            lengths.append(torch.linalg.vector_norm(part - self._origin, dim=1, keepdim=True))
        self._lengths = torch.cat(lengths)
        padding = -len(bank) % GROUP  # whole groups: the last row once more
        self._rows = torch.cat([*rows, rows[-1][-1:].expand(padding, -1)])
        self._half_norms = torch.cat([*half_norms, half_norms[-1][-1:].expand(padding, -1)])

    def nearest(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        """L2 distance (Q,) of each query (Q, D) to its nearest row, and that row's index (Q,)."""
        if queries.device.type != "cpu" or not has_8_bit_products():
            return nearest(queries, self.bank)
        if not len(queries):
            return queries.new_zeros(0), torch.zeros(0, dtype=torch.int64)
        found = over_cores(torch.inference_mode()(self._nearest), torch.split(queries, QUERIES))
        return torch.cat([distance for distance, _ in found]), torch.cat([index for _, index in found])

    def neighbours(self, queries: Tensor, k: int) -> Tensor:
        """Indices (Q, k) of the k nearest rows to each query (Q, D), nearest first."""
        return neighbours(queries, self.bank, k, self._norms)

    def _nearest(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        codes, moved = self._round(queries)
        closeness, best = self._closeness(codes)
        everyone = torch.arange(len(queries))
        group = torch.from_numpy(best.numpy().argmax(axis=0))
        index = self._row(group, torch.from_numpy(closeness[group, :, everyone].numpy().argmax(axis=1)))
        distance = self._distance(queries, index)

        reach = (distance + moved + self._moved).double() * (SLACK / self._step)
        least = ((codes.square().sum(dim=1) - reach.square()) / 2 - 1).clamp_(min=-(2**30)).int()
        group, query = _where(best >= least)
        pair, member = _where(closeness[group, :, query] >= least[query, None])
        query, row = query[pair], self._row(group[pair], member)
        if len(row) > MOST_OPEN * len(queries) * len(self.bank):
            return self._nearest_by_products(queries)
        _keep_smallest(distance, index, query, self._distance(queries[query], row), row)
        return distance, index

    def _nearest_by_products(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        """The same, screened by |y|^2 - 2xy in float32, for x and y about the origin.

        A sum of n products errs by n roundings of their sizes (Higham 2002, section 3.1): here of less than
        (|x| + |y|)^2.
        """
        x = queries - self._origin
        farness = torch.empty(len(self.bank), len(queries))
        for first in range(0, len(self.bank), ROWS):
            tile = np.s_[first : first + ROWS]
            torch.addmm(self._lengths[tile].square(), self.bank[tile] - self._origin, x.T, alpha=-2, out=farness[tile])
        sizes = (torch.linalg.vector_norm(x, dim=1) + self._lengths.amax()).square()
        error = (x.shape[1] + 4) * ROUNDING * sizes
        row, query = _where(farness <= farness.amin(dim=0) + 2 * error)
        if len(row) > MOST_OPEN_FLOAT * farness.numel():
            return _nearest_in_float64(queries, self.bank)
        distance, index = torch.full((len(queries),), torch.inf), torch.zeros(len(queries), dtype=torch.int64)
        _keep_smallest(distance, index, query, self._distance(queries[query], row), row)
        return distance, index

    def _round(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The whole numbers (P, D) that stand for `points` (P, D), and how far (P,) that moved each."""
        centred = points - self._origin
        codes = (centred / self._step).round_().clamp_(-LARGEST, LARGEST)
        return codes, torch.sub(centred, codes, alpha=self._step).square_().sum(dim=1).sqrt_()

    def _closeness(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """xy - |y|^2 / 2 of each row y and query x, rounded up: (groups, GROUP, Q), and the largest of each group.

        The larger, the closer.
        """
        columns = codes.to(torch.int8).T
        closeness = self._half_norms.new_empty(len(self._rows), len(codes))
        best = []
        for first in range(0, len(self._rows), ROWS):
            tile = np.s_[first : first + ROWS]
            torch._int_mm(self._rows[tile], columns, out=closeness[tile])  # torch's only product of 8 bits
            closeness[tile] -= self._half_norms[tile]
            best.append(closeness[tile].view(-1, GROUP, len(codes)).amax(dim=1))
        return closeness.view(-1, GROUP, len(codes)), torch.cat(best)

    def _row(self, group: Tensor, member: Tensor) -> Tensor:
        return (group * GROUP + member).clamp_(max=len(self.bank) - 1)

    def _distance(self, queries: Tensor, index: Tensor) -> Tensor:
        return (queries - self.bank.index_select(0, index)).square_().sum(dim=1).sqrt_()


def has_8_bit_products() -> bool:
    """Whether this processor multiplies 8-bit numbers faster than float32 ones, as far as torch tells."""
    known = hasattr(torch, "_int_mm") and hasattr(torch.cpu, "get_capabilities")
    return known and bool(torch.cpu.get_capabilities().get("avx512_vnni"))


def _nearest_in_float64(queries: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """For a bank of duplicates, or of rows that lie closer together than the rounding tells apart."""
    distance, index = nearest(queries.double(), bank.double())
    return distance.float(), index


def _where(holds: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the True ones; numpy finds them much faster than torch."""
    rows, columns = np.divmod(np.flatnonzero(holds.numpy()), holds.shape[1])
    return torch.from_numpy(rows), torch.from_numpy(columns)


def _keep_smallest(distance: Tensor, index: Tensor, query: Tensor, measured: Tensor, row: Tensor) -> None:
    """Put the smallest of the `measured` distances of each query, and its row, into `distance` and `index`.

    Of several writes to one place numpy keeps the last: the smallest distance, and of equal ones the lowest row.
    """
    order = np.lexsort((-row.numpy(), -measured.numpy()))
    places = query.numpy()[order]
    distance.numpy()[places] = measured.numpy()[order]
    index.numpy()[places] = row.numpy()[order]
