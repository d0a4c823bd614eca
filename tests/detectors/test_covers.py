"""Coresets of parts, put together in one step or in a tree, and what they leave for folds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from andon.detectors._coreset import coreset_and_radius
from andon.detectors._covers import Cover, Kept, cover, merged
from andon.detectors._shards import Spread, spread_of
from andon.teaching.shards.merging import Tree

pytestmark = pytest.mark.slow

PHOTOS, FOLDS = 24, 2


def patches() -> Kept:
    """30 patches of each of 24 photos; every third photo is out of one of three folds."""
    photo = torch.arange(PHOTOS).repeat_interleave(30)
    rows = torch.randn(len(photo), 6, generator=torch.Generator().manual_seed(1)) + 2 * (photo % 5).unsqueeze(1)
    rows[photo == 7, 0] += 50  # what one photo alone has
    out = (photo.unsqueeze(1) % FOLDS) == torch.arange(FOLDS)
    return Kept(rows, torch.arange(len(photo)), out)


def parts(whole: Kept, n: int) -> list[Kept]:
    return [whole.at(rows) for rows in torch.arange(len(whole.rows)).chunk(n)]


def away(rows: torch.Tensor, bank: torch.Tensor) -> float:
    return float(torch.cdist(rows, bank).amin(dim=1).max())


def require_cover(whole: Kept, made: Cover) -> None:
    """It says the truth of all patches, and for each fold of those that it may know."""
    for bank in (made.chosen, *(made.without(fold) for fold in range(FOLDS))):
        assert torch.equal(bank.rows, whole.rows[bank.labels])
        assert len(bank.labels.unique()) == len(bank.labels)
    assert away(whole.rows, made.chosen.rows) <= made.radius * (1 + 1e-5)
    for fold in range(FOLDS):
        may_know = ~whole.out[:, fold]
        bank = made.without(fold)
        assert may_know[bank.labels].all()
        assert away(whole.rows[may_know], bank.rows) <= made.radius * (1 + 1e-5)


@pytest.mark.parametrize("radius", [0.0, 2.5])
def test_merged_coresets_of_parts_stand_for_all_patches_and_for_each_fold(radius: float) -> None:
    whole = patches()
    covers = [cover(part, 40, radius) for part in parts(whole, 4)]
    made = merged(covers, 40, radius)
    require_cover(whole, made)
    assert len(made.chosen.rows) <= 40


def test_so_do_coresets_that_are_merged_again_and_again() -> None:
    whole = patches()
    first, second, third, last = (cover(part, 30) for part in parts(whole, 4))
    require_cover(whole, merged([merged([merged([first, second], 30), third], 30), last], 30))


def test_what_any_of_them_has_to_spare_for_a_fold_stands_in() -> None:
    """Of two places that lie far apart, the fold may know one patch each, and neither is chosen."""
    rows = torch.tensor([[0.0], [0.1], [100.0], [100.1]])
    whole = Kept(rows, torch.arange(4), torch.tensor([[True, False], [False, False]] * 2))
    made = merged([cover(part, 1) for part in parts(whole, 2)], 2)
    assert made.chosen.labels.tolist() == [0, 2]
    assert sorted(made.without(0).labels.tolist()) == [1, 3]
    require_cover(whole, made)


def test_the_radius_of_the_merged_is_within_the_factor_that_is_proven() -> None:
    whole = patches()
    _, exact = coreset_and_radius(whole.rows, 40)
    made = merged([cover(part, 40) for part in parts(whole, 6)], 40)
    best = exact / 2  # the smallest possible radius is no smaller
    assert away(whole.rows, made.chosen.rows) <= 4 * 2 * best
    assert away(whole.rows, made.chosen.rows) < 1.5 * exact


def test_a_tree_merges_no_more_than_it_has_room_for_and_loses_nothing() -> None:
    whole, held = patches(), list[int]()

    def merge(covers: Sequence[Cover]) -> Cover:
        held.append(sum(map(len, covers)))
        return merged(covers, 12)

    tree = Tree(merge, room=60)
    for part in parts(whole, 24):
        tree.add(cover(part, 12))
    made = merge(tree.left())
    require_cover(whole, made)
    assert len(held) > 4
    assert max(held) <= 60


def test_two_covers_are_merged_whatever_they_hold() -> None:
    whole = patches()
    tree = Tree(lambda covers: merged(covers, 20), room=1)
    for part in parts(whole, 5):
        tree.add(cover(part, 20))
    require_cover(whole, merged(tree.left(), 20))


def test_the_spread_of_parts_is_that_of_all() -> None:
    rows = patches().rows + 1000
    joined = Spread.joined(Spread.joined(spread_of(rows[:100]), spread_of(rows[100:110])), spread_of(rows[110:]))
    assert joined.n == len(rows)
    assert torch.allclose(joined.mean, rows.double().mean(0))
    assert torch.allclose(joined.squares / (joined.n - 1), rows.double().var(0))
