"""The nearest row of a memory bank: screened in whole numbers, settled in float32; the same row as a full search finds.

Rows and queries are rounded to whole numbers from -127 to 127, times a step. How far that moved each point is known, so
by the triangle inequality a row can lie within a distance d of a query only if the rounded points are no farther apart
than d + (how far the query moved) + (how far any row moved). Products of such numbers are exact, and fast where the
processor has instructions for 8 bits.

Of each query OpenVINO gives how close the closest row of every `GROUP` rows is, not all products. Groups that stay
open, one or two for most queries, are measured in float32. Queries with many are searched by float32 products, whose
error is bounded too.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from andon import resources
from andon.inference._arrays import Floats, Numbers
from andon.inference._openvino import ov
from andon.inference.compiled import COMPILING, DEVICE, Requests, config_of
from andon.inference.workers import over_cores

LARGEST = 127  # of the whole numbers: they fit into 8 bits
GROUP = 8  # rows
TILE = 1024  # rows that are multiplied at once: what comes out stays in the cache
QUERIES = 256  # searched at once
MOST_MEASURED = 1 / 32  # of the groups; beyond that products are faster than measuring them
MOST_OPEN = 0.03  # of all pairs, by float32 products; beyond that float64 products are faster
SLACK = 1 + 1e-5  # more than float32 loses in a distance
ROUNDING = 2**-24  # of float32


class BankSearch:
    """The search in one bank. Any number of threads may search at once.

    Args:
        bank: (N, D) float32.
    """

    def __init__(self, bank: Floats) -> None:
        self.bank = np.ascontiguousarray(bank, np.float32)
        self._origin = self.bank.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = self.bank - self._origin
        self._step = float(np.abs(centred).max()) / LARGEST or 1.0
        steps = centred / np.float32(self._step)
        codes = np.rint(steps)
        self._moved = float(np.sqrt(_squares(steps - codes).max()))
        self._most = float(np.sqrt(_squares(centred).max()))
        self._codes = _whole_groups(codes.astype(np.int8))
        self._groups = _whole_groups(self.bank).reshape(-1, GROUP, self.bank.shape[1])
        self._requests: Requests | None = None
        self._preparing = Lock()

    def nearest(self, queries: Floats) -> tuple[Floats, Numbers]:
        """L2 distance (Q,) of each query (Q, D) to its nearest row, and that row's index (Q,); of equal ones the first.

        Where a task of `over_cores` calls it, one core searches; else all do.
        """
        if not len(queries):
            return np.empty(0, np.float32), np.empty(0, np.int64)
        self._prepare()
        found = over_cores(self._screen, _blocks(queries))
        distance, index, is_open = (np.concatenate(parts) for parts in zip(*found, strict=True))
        for block in _blocks(np.flatnonzero(is_open)):
            distance[block], index[block] = self._nearest_by_products(queries[block])
        return distance, index

    def _screen(self, queries: Floats) -> tuple[Floats, Numbers, NDArray[np.bool_]]:
        """Distances and indices (Q,), and for which queries (Q,) these may be wrong, as too many groups are open."""
        closeness, moved, sizes = self._closest(queries)
        everyone, closest = np.arange(len(queries)), closeness.argmax(axis=1)
        distance, index = self._nearest_in_groups(queries, closest)  # no nearest row is farther away

        reach = (distance / self._step + moved + self._moved).astype(np.float64) * SLACK
        least = (sizes - reach**2) / 2 - 1 - _lost(queries.shape[1])
        is_open = closeness >= np.nextafter(least.astype(np.float32), -np.inf, dtype=np.float32)[:, None]
        is_open[everyone, closest] = False
        query, group = np.divmod(np.flatnonzero(is_open), closeness.shape[1])
        too_many = np.bincount(query, minlength=len(queries)) > max(1, MOST_MEASURED * closeness.shape[1])
        if too_many.any():
            few = ~too_many[query]
            query, group = query[few], group[few]
        _keep_nearest(distance, index, query, *self._nearest_in_groups(queries[query], group))
        return distance, index, too_many

    def _nearest_in_groups(self, queries: Floats, groups: Numbers) -> tuple[Floats, Numbers]:
        """Distance (Q,) of each query (Q, D) to the nearest row of its group (Q,), and that row's index (Q,)."""
        differences = self._groups[groups]
        differences -= queries[:, None]
        squares = np.einsum("qgd,qgd->qg", differences, differences)
        best = squares.argmin(axis=1)
        return np.sqrt(squares[np.arange(len(best)), best]), np.minimum(groups * GROUP + best, len(self.bank) - 1)

    def _closest(self, queries: Floats) -> tuple[Floats, ...]:
        """What `_network` gives for queries (Q, D)."""
        assert self._requests is not None
        return tuple(part[: len(queries)] for part in self._requests.infer([_padded(queries)]))

    def _prepare(self) -> None:
        """Compile the products at the first search."""
        with self._preparing:
            if self._requests is None:
                self._requests = self._compiled(in_8_bits=resources.has_8_bit_products())

    def _compiled(self, *, in_8_bits: bool) -> Requests:
        """Requests for the products. Those in 8 bits are tried, as some processors saturate them."""
        network = _network(self._codes, self._origin, self._step, in_8_bits)
        with COMPILING:
            streams = resources.cpus()
            requests = Requests(ov.Core().compile_model(network, DEVICE, config_of("f32", streams)), streams)
        if in_8_bits:
            some = self._codes[:QUERIES].astype(np.float32)  # compared with the first group
            expected = (some @ some[:GROUP].T - _half_squares(some[:GROUP])).max(axis=1)
            found = requests.infer([_padded(some * np.float32(self._step) + self._origin)])[0][: len(some), 0]
            if np.abs(found - expected).max() > _lost(some.shape[1]):
                return self._compiled(in_8_bits=False)
        return requests

    def _nearest_by_products(self, queries: Floats) -> tuple[Floats, Numbers]:
        """The same, screened by |y|^2 - 2xy in float32, for x and y about the origin.

        A sum of n products errs by n roundings of their sizes (Higham 2002, section 3.1): here of less than
        (|x| + |y|)^2.
        """
        x = queries - self._origin
        farness = np.empty((len(queries), len(self.bank)), np.float32)
        for first in range(0, len(self.bank), TILE):
            y = self.bank[first : first + TILE] - self._origin
            farness[:, first : first + TILE] = _squares(y) - 2 * (x @ y.T)
        sizes = (np.sqrt(_squares(x)) + self._most) ** 2
        error = (x.shape[1] + 4) * ROUNDING * sizes
        query, row = np.nonzero(farness <= (farness.min(axis=1) + 2 * error)[:, None])
        if len(row) > MOST_OPEN * farness.size:
            return self._nearest_in_float64(queries)
        distance = np.full(len(queries), np.inf, np.float32)
        index = np.full(len(queries), len(self.bank), np.int64)
        _keep_nearest(distance, index, query, _distances(queries[query], self.bank[row]), row)
        return distance, index

    def _nearest_in_float64(self, queries: Floats) -> tuple[Floats, Numbers]:
        """For a bank of duplicates, or of rows that lie closer together than the rounding tells apart."""
        x = queries.astype(np.float64)
        nearest, index = np.full(len(x), np.inf), np.zeros(len(x), np.int64)
        for first in range(0, len(self.bank), TILE):
            y = self.bank[first : first + TILE].astype(np.float64)
            farness = (y * y).sum(axis=1) - 2 * (x @ y.T)
            best = farness.argmin(axis=1)
            value = farness[np.arange(len(x)), best]
            better = value < nearest
            nearest[better], index[better] = value[better], best[better] + first
        return _distances(queries, self.bank[index]), index


def _network(codes: NDArray[np.int8], origin: Floats, step: float, in_8_bits: bool) -> ov.Model:
    """Queries (QUERIES, D) float32 -> how close the groups are (QUERIES, groups), and how the queries were rounded.

    The closeness of a query x to a row y, both in whole numbers of steps, is xy - |y|^2 / 2, rounded up: the larger,
    the closer; that of a group is its closest row's. Beside it stand how far each query was moved, in steps,
    (QUERIES,), and |x|^2 (QUERIES,).
    """
    op = ov.opset13
    queries = op.parameter([QUERIES, codes.shape[1]], np.float32, name="queries")
    steps = op.divide(op.subtract(queries, op.constant(origin[None])), op.constant(np.float32(step)))
    x = op.clamp(op.round(steps, "half_to_even"), -LARGEST, LARGEST)
    moved = op.reduce_l2(op.subtract(steps, x), np.array([1]))
    sizes = op.reduce_sum(op.multiply(x, x), np.array([1]))
    if in_8_bits:
        low, high = np.float32(-LARGEST), np.float32(LARGEST)
        x = op.fake_quantize(x, low, high, low, high, 2 * LARGEST + 1)
    closeness = []
    for first in range(0, len(codes), TILE):
        tile = codes[first : first + TILE]  # the first rows of all its groups, then the second ones, ...: faster
        tile = tile.reshape(-1, GROUP, tile.shape[1]).transpose(1, 0, 2).reshape(tile.shape)
        rows = op.constant(tile if in_8_bits else tile.astype(np.float32))
        if in_8_bits:
            rows = op.multiply(op.convert(rows, "f32"), op.constant(np.ones((len(tile), 1), np.float32)))
        products = op.matmul(x, rows, transpose_a=False, transpose_b=True)
        of_rows = op.subtract(products, op.constant(_half_squares(tile.astype(np.float32))[None]))
        of_groups = op.reshape(of_rows, [QUERIES, GROUP, len(tile) // GROUP], special_zero=False)
        closeness.append(op.reduce_max(of_groups, np.array([1])))
    return ov.Model([op.concat(closeness, axis=1), moved, sizes], [queries], "bank_search")


def _keep_nearest(distance: Floats, index: Numbers, query: Numbers, measured: Floats, row: Numbers) -> None:
    """Put what was measured of each query and is nearer, or as near and first, into `distance` and `index`."""
    farthest_first = np.lexsort((-row, -measured))  # of several writes to one place numpy keeps the last
    query, measured, row = query[farthest_first], measured[farthest_first], row[farthest_first]
    better = (measured < distance[query]) | ((measured == distance[query]) & (row < index[query]))
    distance[query[better]], index[query[better]] = measured[better], row[better]


def _whole_groups(rows: NDArray[Any]) -> NDArray[Any]:
    """The rows (N, D), the last one repeated until they make whole groups."""
    padding = -len(rows) % GROUP
    return np.concatenate([rows, np.repeat(rows[-1:], padding, axis=0)]) if padding else rows


def _padded(queries: Floats) -> Floats:
    """As many as are searched at once."""
    return np.concatenate([queries, np.zeros((QUERIES - len(queries), queries.shape[1]), np.float32)])


def _blocks(items: NDArray[Any]) -> list[NDArray[Any]]:
    return np.split(items, range(QUERIES, len(items), QUERIES)) if len(items) else []


def _half_squares(codes: Floats) -> Floats:
    """|y|^2 / 2 (P,) of whole numbers (P, D), rounded up."""
    half: Floats = np.ceil(_squares(codes) / 2)
    return half


def _lost(dimensions: int) -> float:
    """How much float32 may lose in a sum of that many products of whole numbers; up to 2^24 it loses nothing."""
    largest = dimensions * LARGEST**2
    return 0.0 if largest <= 2**24 else math.ceil(dimensions * ROUNDING * largest)


def _squares(points: Floats) -> Floats:
    """|y|^2 (P,) of points (P, D)."""
    squares: Floats = np.einsum("ij,ij->i", points, points)
    return squares


def _distances(points: Floats, others: Floats) -> Floats:
    """(P,) between points (P, D) and as many others."""
    distances: Floats = np.sqrt(_squares(points - others))
    return distances
