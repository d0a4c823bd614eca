"""From patch scores to an image score: known answers, and the paper's formula by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from andon.inference.image_score import ImageScore, neighbours, weight
from andon.inference.memory_bank import MemoryBank

SCORES = np.random.default_rng(0).random(200).astype(np.float32)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"image_score": "maximum"}, SCORES.max()),
        ({"image_score": "percentile", "percentile": 90.0}, np.percentile(SCORES.astype(np.float64), 90)),
        ({"image_score": "top_k_mean", "top_k": 10}, np.sort(SCORES)[-10:].mean()),
        ({"image_score": "top_k_mean", "top_k": 1000}, SCORES.mean()),
        ({"image_score": "top_share_mean", "top_share": 0.04}, np.sort(SCORES)[-8:].mean()),
        ({"image_score": "top_share_mean", "top_share": 0.0001}, SCORES.max()),
    ],
)
def test_the_image_score_is_that_of_numpy(how: dict[str, Any], expected: float) -> None:
    assert ImageScore(**how).of(SCORES) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("how", ["maximum", "percentile", "top_k_mean", "top_share_mean"])
def test_a_photo_without_roi_scores_nothing(how: Any) -> None:
    assert ImageScore(image_score=how).of(np.empty(0, np.float32)) == 0.0


def test_the_weight_is_that_of_equation_7() -> None:
    # m* = (0, 0), its three nearest of the bank: itself, (0, 1) and (2, 0); the query lies at (3, 4).
    bank = np.array([[0, 0], [0, 1], [2, 0], [9, 9]], np.float32)
    query = np.array([3, 4], np.float32)
    around = neighbours(0, bank, (bank**2).sum(axis=1), 3)
    assert sorted(around) == [0, 1, 2]
    distances = [5.0, 18**0.5, 17**0.5]
    expected = 1 - np.exp(5.0) / sum(np.exp(distances))
    assert weight(query, 0, bank, around) == pytest.approx(expected, rel=1e-6)


def test_neighbours_found_when_the_bank_was_made_give_the_same_score() -> None:
    generator = np.random.default_rng(1)
    bank, queries = (generator.random((n, 6)).astype(np.float32) for n in (600, 20))
    memory = MemoryBank(bank, np.zeros((600, 3), np.float32), ImageScore(num_neighbors=9))
    known = memory.with_neighbours()
    assert known.around is not None and known.around.shape == (600, 9)
    photo, inside = queries.reshape(4, 5, 6), np.ones((4, 5), bool)
    score, patches = memory.score(photo, inside)
    assert known.score(photo, inside)[0] == pytest.approx(score, rel=1e-6)
    assert 0 < score < patches.max()
