"""The fast coreset is the plain loop's coreset, index for index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor

from andon.detectors import _cells, _coreset
from andon.detectors._coreset import ExpectedSize, coreset_and_radius, greedy_coreset, points_that_fit
from andon.detectors._distances import exact, screen
from andon.detectors._memory_bank import Piece
from andon.detectors._two_steps import coreset_of_coresets


def plain_loop(features: Tensor, n: int, start: int = 0) -> list[int]:
    """Gonzalez' algorithm as it stands in the paper: every centre is compared with every point."""
    points = features.numpy().astype(np.float64)
    nearest = np.full(len(points), np.inf)
    taken: list[int] = []
    best = start
    for _ in range(n):
        taken.append(best)
        nearest = np.minimum(nearest, ((points - points[best]) ** 2).sum(axis=1))
        nearest[taken] = -np.inf
        best = int(nearest.argmax())  # the first of those that tie
    return taken


def gaussian(n: int, dim: int, seed: int = 0) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))


def clusters(n: int, dim: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    centres = torch.randn(20, dim, generator=generator)
    return centres[torch.randint(20, (n,), generator=generator)] + 0.2 * gaussian(n, dim)


def integers(n: int, dim: int, high: int) -> Tensor:
    """Points on a grid: many are equal, and most distances tie."""
    return torch.randint(high, (n, dim), generator=torch.Generator().manual_seed(2)).float()


CASES = {
    "gaussian": gaussian(700, 24),
    "clusters": clusters(1200, 33),
    "every point three times": gaussian(300, 17)[torch.arange(900) * 7 % 300],
    "grid of distances that tie": integers(900, 6, 3),
    "corners of a cube": integers(1000, 7, 2),
    "one value per point": gaussian(500, 1),
    "all equal": torch.ones(400, 5),
    "far from the origin": clusters(800, 16) + 3000,
    "values that vanish when squared": clusters(300, 16) * 1e-23,
    "values of every size": gaussian(600, 9) * 10 ** (3 * gaussian(600, 1, seed=3)),
}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rounds, cells, tiles and parts even with few points."""
    monkeypatch.setattr(_coreset, "BLOCK", 32)
    monkeypatch.setattr(_coreset, "CELL", 40)
    monkeypatch.setattr(_cells, "TILE", 16)
    monkeypatch.setattr(_cells, "PAIRS", 8)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("small_blocks")
def test_same_indices_as_the_plain_loop(case: str) -> None:
    features = CASES[case]
    n = len(features) // 3
    assert greedy_coreset(features, n).tolist() == plain_loop(features, n)


def test_same_indices_with_the_sizes_that_are_in_use() -> None:
    features = torch.cat([clusters(4000, 48), integers(1000, 48, 2)])
    assert greedy_coreset(features, 700, start=4321).tolist() == plain_loop(features, 700, start=4321)


@pytest.mark.usefixtures("small_blocks")
def test_takes_every_point_once_if_asked_for_all() -> None:
    features = integers(300, 4, 2)
    indices = greedy_coreset(features, 300, start=7)
    assert indices.dtype == torch.int64
    assert indices.tolist() == plain_loop(features, 300, start=7)
    assert sorted(indices.tolist()) == list(range(300))


@pytest.mark.usefixtures("small_blocks")
def test_a_screen_as_wrong_as_it_says_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    features = clusters(600, 20)
    generator = torch.Generator().manual_seed(5)

    def wrong(rows: Tensor, centres: Tensor, origin: Tensor) -> tuple[Tensor, float]:
        distances, error = screen(rows, centres, origin)
        noise = 0.3 * (2 * torch.rand(distances.shape, generator=generator) - 1)
        return distances + noise, error + 0.3

    monkeypatch.setattr(_coreset, "screen", wrong)
    monkeypatch.setattr(_cells, "screen", wrong)
    assert greedy_coreset(features, 200).tolist() == plain_loop(features, 200)


@pytest.mark.parametrize("case", CASES)
def test_screen_is_never_further_off_than_it_says(case: str) -> None:
    features = CASES[case]
    for origin in (torch.zeros(features.shape[1]), features.mean(0), features[3] * 5):
        distances, error = screen(features, features[:50], origin)
        true = (features.double()[:, None] - features[:50].double()).square().sum(2)
        assert (distances - true).abs().max() <= error


@pytest.mark.parametrize(("precision", "mantissa_bits"), [("high", 10), ("medium", 7)])
def test_screen_reckons_with_factors_that_torch_may_round(precision: str, mantissa_bits: int) -> None:
    features = gaussian(400, 8)
    origin = torch.zeros(8)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        _, error = screen(features, features[:50], origin)
    finally:
        torch.set_float32_matmul_precision(before)
    mantissa, exponent = torch.frexp(features)
    rounded = torch.ldexp((mantissa * 2 ** (mantissa_bits + 1)).round() / 2 ** (mantissa_bits + 1), exponent)
    lost = 2 * (rounded @ rounded[:50].T - features @ features[:50].T).abs().max()
    assert lost < error < 100 * lost


def test_screen_promises_a_small_error() -> None:
    features = gaussian(500, 256)
    distances, error = screen(features, features[:100], features.mean(0))
    assert error < 1e-3 * distances.median()


def test_exact_distances_do_not_depend_on_company_nor_library() -> None:
    a, b = gaussian(64, 37).double(), gaussian(64, 37, seed=1).double()
    together = exact(a, b)
    assert torch.equal(together, torch.cat([exact(a[i : i + 1], b[i : i + 1]) for i in range(64)]))
    assert np.array_equal(together.numpy(), exact(a.numpy(), b.numpy()))
    assert torch.allclose(together, (a - b).square().sum(1), rtol=1e-14)


def test_the_callers_threads_and_features_are_left_as_they_were() -> None:
    features = clusters(800, 16)
    copy = features.clone()
    threads = torch.get_num_threads()
    results = []
    try:
        for wanted in (1, 3):
            torch.set_num_threads(wanted)
            results.append(greedy_coreset(features, 100))
            assert torch.get_num_threads() == wanted
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)
    assert torch.equal(features, copy)


def test_progress_says_how_much_of_the_choice_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, str]] = []

    @contextmanager
    def measured(what: str, part: float) -> Iterator[Callable[[float, str], None]]:
        yield lambda share, words: told.append((share, words))

    monkeypatch.setattr(_coreset, "measured", measured)
    greedy_coreset(gaussian(50, 3), 5)
    assert [words for _, words in told] == [f"{n} of 5 patches" for n in (1, 2, 3, 4, 5)]
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_how_many_centres_a_radius_will_take_is_seen_before_they_are_taken() -> None:
    expected = ExpectedSize(1_000_000, 50_000, 100, radius=0.5)
    for taken in range(1, 1025):  # the radius is 3 taken ** (-1 / 5): 0.5 after 7,776
        size = expected.after(taken, 9 * taken ** (-2 / 5))
    assert size == pytest.approx(7776, rel=0.02)
    assert expected.after(9000, 0.2) == 9000


def test_works_under_inference_mode() -> None:
    with torch.inference_mode():
        features = clusters(600, 8) * 1.0
        indices = greedy_coreset(features, 60)
    assert indices.tolist() == plain_loop(features, 60)


@pytest.mark.parametrize("n", [0, 11])
def test_refuses_an_impossible_number(n: int) -> None:
    with pytest.raises(ValueError, match="from 1 to the 10 points"):
        greedy_coreset(gaussian(10, 3), n)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e16])
def test_refuses_features_without_distances(value: float) -> None:
    features = gaussian(10, 3)
    features[4, 1] = value
    with pytest.raises(ValueError, match="finite"):
        greedy_coreset(features, 2)


@pytest.mark.parametrize("case", ["clusters", "every point three times", "all equal", "far from the origin"])
def test_the_radius_is_that_of_the_point_left_farthest_out(case: str) -> None:
    features = CASES[case]
    for n in (1, len(features) // 3, len(features)):
        indices, radius = coreset_and_radius(features, n)
        assert indices.tolist() == plain_loop(features, n)
        nearest = torch.cdist(features.double(), features[indices].double()).amin(1)
        assert radius == pytest.approx(nearest.max().item(), rel=1e-4, abs=1e-6)


def pieces_of(features: torch.Tensor, size: int) -> Iterator[Piece]:
    return (Piece(chunk, torch.zeros(len(chunk)), more=True) for chunk in features.split(size))


def test_coreset_of_coresets_covers_what_it_says_and_four_times_the_best_at_most() -> None:
    features = clusters(2000, 12)
    made = coreset_of_coresets(pieces_of(features, 450), 60)
    rows, indices, claimed = made.bank
    assert rows.shape == (60, 12)
    assert torch.equal(rows, features[indices])
    radius = torch.cdist(features, rows).amin(1).max().item()
    assert made.step_radius <= radius * (1 + 1e-5)
    assert radius <= claimed * (1 + 1e-5)
    assert claimed == made.chunk_radius + made.step_radius
    _, at_once = coreset_and_radius(features, 60)  # the best possible one is no larger
    assert radius <= 4 * at_once


def test_coreset_of_coresets_finds_what_only_one_chunk_has() -> None:
    features = 0.1 * gaussian(900, 5)
    features[777] += 10
    assert 777 in coreset_of_coresets(pieces_of(features, 300), 4).bank.indices.tolist()


def test_coreset_of_coresets_takes_chunks_smaller_than_the_coreset() -> None:
    assert coreset_of_coresets(pieces_of(gaussian(100, 4), 30), 50).bank.rows.shape == (50, 4)


def test_points_that_fit() -> None:
    room = points_that_fit(8 * 2**30, 256)
    assert 0.8 < room * 256 * 4 / (8 * 2**30) < 1
    assert points_that_fit(2**20, 256) == 0
    assert points_that_fit(8 * 2**30, 512) < room < points_that_fit(9 * 2**30, 256)
