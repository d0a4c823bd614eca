"""The screened search must find what an exact one finds, on data made to mislead it too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from andon import resources
from andon.inference import bank_search
from andon.inference.bank_search import BankSearch

Floats = NDArray[np.float32]


@pytest.fixture(params=["8 bits", "float32"], autouse=True)
def products(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor with products of 8 bits, and as on one without; each must find the same."""
    monkeypatch.setattr(resources, "has_8_bit_products", lambda: request.param == "8 bits")


def normal(n: int, dim: int, seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def exact(queries: Floats, bank: Floats) -> NDArray[np.float64]:
    rows = bank.astype(np.float64)
    return np.stack([np.linalg.norm(rows - query, axis=1) for query in queries.astype(np.float64)])


def assert_nearest(queries: Floats, bank: Floats) -> None:
    """Distances to 1e-5 relative, and each index a row that is that near."""
    distance, index = BankSearch(bank).nearest(queries)
    expected = exact(queries, bank)
    np.testing.assert_allclose(distance, expected.min(axis=1), rtol=1e-5)
    np.testing.assert_allclose(expected[np.arange(len(queries)), index], expected.min(axis=1), rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 1023, 1024, 1025, 3000])
def test_it_finds_the_nearest_row_in_a_bank_of_any_size(rows: int) -> None:
    bank = normal(rows, 24, seed=rows)
    assert_nearest(np.concatenate([bank[-1:] + 1e-4, normal(300, 24, seed=1)]), bank)


def test_it_takes_the_lowest_of_equal_rows() -> None:
    bank = normal(200, 8, seed=0)
    bank[150] = bank[20]
    bank[23] = bank[20]  # of the same group
    distance, index = BankSearch(bank).nearest(bank[150:151])
    assert (distance.item(), index.item()) == (0, 20)


def test_of_rows_as_near_it_takes_the_first_although_another_looked_nearer() -> None:
    numbers = np.random.default_rng(22)
    queries = 100 * numbers.integers(-50, 50, (200, 16)).astype(np.float32)  # whole, so that distances are exact
    aside = numbers.integers(-3, 4, queries.shape).astype(np.float32)
    _, index = BankSearch(np.concatenate([queries + aside, queries - aside])).nearest(queries)
    assert np.array_equal(index, np.arange(len(queries)))


@pytest.mark.slow
@pytest.mark.parametrize("dim", [2, 64, 1536])
def test_rows_closer_to_each_other_than_the_rounding_are_told_apart(dim: int) -> None:
    directions = normal(2000, dim, seed=2)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = 1 + 1e-3 * np.random.default_rng(3).random((2000, 1)).astype(np.float32)
    centre = normal(1, dim, seed=4)
    far = centre + 100 * normal(20, dim, seed=5)  # these make the step large
    assert_nearest(centre + 1e-3 * normal(50, dim, seed=6), np.concatenate([centre + directions * lengths, far]))


def test_rows_that_float32_products_confuse_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few in a bank that is wide otherwise, so that no search in float64 is needed."""
    bank = normal(3000, 16, seed=23)
    centre = np.full(16, 250, np.float32)
    bank[::50] = centre + 1e-2 * bank[::50]
    monkeypatch.setattr(BankSearch, "_nearest_in_float64", None)
    assert_nearest(centre + 1e-2 * normal(100, 16, seed=24), bank)


def test_a_bank_of_duplicates_is_searched_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without all differences of queries and rows at once, which may be more than the memory holds."""
    measured: list[int] = []
    distances = bank_search._distances

    def counted(points: Floats, others: Floats) -> Floats:
        measured.append(len(points))
        return distances(points, others)

    monkeypatch.setattr(bank_search, "_distances", counted)
    bank = np.tile(normal(10, 16, seed=7), (300, 1))
    assert_nearest(normal(100, 16, seed=8), bank)
    assert max(measured) == 100
    distance, _ = BankSearch(bank).nearest(bank[:10])
    assert (distance == 0).all()


def test_a_bank_of_one_point_has_a_distance_to_everything() -> None:
    assert_nearest(normal(5, 16, seed=9), np.ones((70, 16), np.float32))


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1.0), (0.0, 1e-6), (0.0, 1e6), (-50.0, 1e-2)])
def test_where_the_bank_lies_and_how_large_it_is_does_not_matter(offset: float, scale: float) -> None:
    bank, queries = (np.float32(offset) + np.float32(scale) * normal(n, 32, seed=n) for n in (1000, 200))
    assert_nearest(queries, bank)


def test_queries_far_outside_the_bank_and_rows_far_outside_the_others() -> None:
    bank, queries = normal(1000, 32, seed=12), normal(200, 32, seed=13)
    bank[500] *= 1e3
    queries[::2] *= 30
    assert_nearest(queries, bank)


def test_few_groups_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []
    in_groups = BankSearch._nearest_in_groups

    def counted(self: BankSearch, queries: Floats, groups: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        measured.append(len(groups))
        return in_groups(self, queries, groups)

    monkeypatch.setattr(BankSearch, "_nearest_in_groups", counted)
    monkeypatch.setattr(BankSearch, "_nearest_by_products", None)
    bank = np.tile(normal(50, 64, seed=14), (60, 1)) + 0.3 * normal(3000, 64, seed=15)
    assert_nearest(bank[::10] + 0.3 * normal(300, 64, seed=16), bank)
    assert 300 <= sum(measured) < 5 * 300  # of 375 for each


def test_no_queries_have_no_neighbours() -> None:
    distance, index = BankSearch(normal(100, 8, seed=17)).nearest(np.zeros((0, 8), np.float32))
    assert distance.shape == index.shape == (0,)


def test_a_processor_that_saturates_its_8_bit_products_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    network = bank_search._network

    def saturating(codes: NDArray[np.int8], origin: Floats, step: float, in_8_bits: bool) -> object:
        made.append(in_8_bits)
        return network(codes // 2 if in_8_bits else codes, origin, step, in_8_bits)

    monkeypatch.setattr(resources, "has_8_bit_products", lambda: True)
    monkeypatch.setattr(bank_search, "_network", saturating)
    assert_nearest(normal(50, 16, seed=18), normal(300, 16, seed=19))
    assert made == [True, False]


def test_any_number_of_threads_search_at_once() -> None:
    bank, queries = normal(2000, 16, seed=20), normal(3000, 16, seed=21)
    search = BankSearch(bank)
    expected = exact(queries, bank).argmin(axis=1)
    with ThreadPoolExecutor(4) as pool:
        for distance, index in pool.map(search.nearest, [queries] * 4):
            assert np.array_equal(index, expected) and len(distance) == len(queries)
