"""The screened search must find what an exact one finds, on data made to mislead it too."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from andon.detectors import _search
from andon.detectors._search import BankSearch


@pytest.fixture(autouse=True)
def screened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a processor without instructions for 8 bits, which computes the same, only slowly."""
    monkeypatch.setattr(_search, "has_8_bit_products", lambda: True)


def normal(n: int, dim: int, seed: int) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))


def exact(queries: Tensor, bank: Tensor) -> Tensor:
    return torch.cdist(queries.double(), bank.double(), compute_mode="donot_use_mm_for_euclid_dist")


def assert_nearest(queries: Tensor, bank: Tensor) -> None:
    """Distances to 1e-5 relative, and each index a row that is that near."""
    distance, index = BankSearch(bank).nearest(queries)
    expected = exact(queries, bank)
    torch.testing.assert_close(distance.double(), expected.amin(dim=1), rtol=1e-5, atol=0)
    found = expected.gather(1, index[:, None])[:, 0]
    torch.testing.assert_close(found, expected.amin(dim=1), rtol=1e-5, atol=0)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 3000])
def test_it_finds_the_nearest_row_in_a_bank_of_any_size(rows: int) -> None:
    bank = normal(rows, 24, seed=rows)
    assert_nearest(torch.cat([bank[-1:] + 1e-4, normal(300, 24, seed=1)]), bank)


def test_it_takes_the_lowest_of_equal_rows() -> None:
    bank = normal(200, 8, seed=0)
    bank[150] = bank[20]
    distance, index = BankSearch(bank).nearest(bank[150:151])
    assert (distance.item(), index.item()) == (0, 20)


@pytest.mark.parametrize("dim", [2, 64, 1536])
def test_rows_closer_to_each_other_than_the_rounding_are_told_apart(dim: int) -> None:
    directions = torch.nn.functional.normalize(normal(2000, dim, seed=2))
    lengths = 1 + 1e-3 * torch.rand(2000, 1, generator=torch.Generator().manual_seed(3))
    centre = normal(1, dim, seed=4)
    bank = torch.cat(
        [centre + directions * lengths, centre + 100 * normal(20, dim, seed=5)]
    )  # these make the step large
    assert_nearest(centre + 1e-3 * normal(50, dim, seed=6), bank)


def test_a_bank_of_duplicates_is_searched_in_full() -> None:
    bank = normal(10, 16, seed=7).repeat(300, 1)
    assert_nearest(normal(100, 16, seed=8), bank)
    distance, _ = BankSearch(bank).nearest(bank[:10])
    assert (distance == 0).all()


def test_a_bank_of_one_point_has_a_distance_to_everything() -> None:
    assert_nearest(normal(5, 16, seed=9), torch.ones(70, 16))


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1.0), (0.0, 1e-6), (0.0, 1e6), (-50.0, 1e-2)])
def test_where_the_bank_lies_and_how_large_it_is_does_not_matter(offset: float, scale: float) -> None:
    bank, queries = offset + scale * normal(1000, 32, seed=10), offset + scale * normal(200, 32, seed=11)
    assert_nearest(queries, bank)


def test_queries_far_outside_the_bank_and_rows_far_outside_the_others() -> None:
    bank, queries = normal(1000, 32, seed=12), normal(200, 32, seed=13)
    bank[500] *= 1e3
    queries[::2] *= 30
    assert_nearest(queries, bank)


def test_few_rows_are_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []
    keep = _search._keep_smallest

    def counted(*pairs: Tensor) -> None:
        measured.append(len(pairs[-1]))
        keep(*pairs)

    monkeypatch.setattr(_search, "_keep_smallest", counted)
    bank = normal(50, 64, seed=14).repeat(60, 1) + 0.3 * normal(3000, 64, seed=15)
    assert_nearest(bank[::10] + 0.3 * normal(300, 64, seed=16), bank)
    assert 0 < sum(measured) < 5 * 300  # groups


def test_no_queries_have_no_neighbours() -> None:
    distance, index = BankSearch(normal(100, 8, seed=17)).nearest(torch.zeros(0, 8))
    assert distance.shape == index.shape == (0,)


def test_without_8_bit_products_the_search_is_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_search, "has_8_bit_products", lambda: False)
    monkeypatch.setattr(torch, "_int_mm", None)
    assert_nearest(normal(50, 16, seed=18), normal(300, 16, seed=19))
