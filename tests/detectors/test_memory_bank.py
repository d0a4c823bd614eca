"""The memory bank where all patches fit into memory, where they do not, and where not even that helps."""

from __future__ import annotations

import logging
import re
import weakref
from collections.abc import Iterator

import pytest
import torch

from andon.detectors._coreset import greedy_coreset
from andon.detectors._memory_bank import (
    Piece,
    chunks,
    coreset,
    distance_to_other_photos,
    leaving_out,
)
from andon.detectors._two_steps import coreset_of_chunks, put_back
from andon.errors import ConfigError


def points(n: int) -> torch.Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(n))


def radius(patches: torch.Tensor, bank: torch.Tensor) -> float:
    return float(torch.cdist(patches, bank).amin(dim=1).max())


def test_chunks_hold_every_patch_once_in_order_and_no_more_than_was_asked() -> None:
    patches = points(100)
    pieces, counts, more = zip(*chunks(torch.split(patches, 7), 30), strict=True)
    assert torch.equal(torch.cat(pieces), patches)
    assert counts == ([7] * 4, [7] * 4, [7] * 4, [7, 7, 2])
    assert max(map(len, pieces)) <= 30
    assert more == (True, True, True, False)
    assert len(pieces) == 4  # 28, 28, 28 and 16: none is cut short


def test_coreset_is_the_greedy_one_of_the_wanted_size() -> None:
    patches = points(200)
    start = int(torch.randint(200, (1,), generator=torch.Generator().manual_seed(3)))
    bank, rows, _ = coreset(patches, 0.1, torch.Generator().manual_seed(3))
    assert torch.equal(bank, patches[rows])
    assert torch.equal(bank, patches[greedy_coreset(patches, 20, start=start)])


def test_coreset_of_chunks_says_how_far_patches_are_from_it(caplog: pytest.LogCaptureFixture) -> None:
    patches = points(400)
    with caplog.at_level(logging.INFO):
        bank, rows, _ = coreset_of_chunks(pieces_of(patches, 150), 150, 400, 0.1).bank
    assert torch.equal(bank, patches[rows])
    assert len(bank) == 40
    two_steps, measured = caplog.messages
    assert two_steps == (
        "400 patches do not fit into memory at once, so the memory bank is chosen in two steps: 40 of each 150 "
        "patches, then 40 of all those."
    )
    said, first, second = (float(number) for number in re.findall(r"\d+\.\d+", measured))
    assert said == pytest.approx(first + second, abs=0.02)
    assert second <= radius(patches, bank) + 0.01
    assert radius(patches, bank) <= said + 0.01


def test_what_cannot_fit_is_refused_with_a_ratio_that_does() -> None:
    patches = points(400)
    with pytest.raises(ConfigError, match=r"coreset_ratio to 0\.015,"):
        coreset_of_chunks(pieces_of(patches, 50), 50, 400, 0.5)
    coreset_of_chunks(pieces_of(patches, 50), 50, 400, 0.015)


def pieces_of(patches: torch.Tensor, size: int, photo: torch.Tensor | None = None) -> Iterator[Piece]:
    photo = torch.zeros(len(patches)) if photo is None else photo
    return (Piece(*both, more=True) for both in zip(patches.split(size), photo.split(size), strict=True))


def photos_of(n_photos: int, n_patches: int) -> torch.Tensor:
    return torch.arange(n_photos).repeat_interleave(n_patches)


def test_a_bank_by_radius_is_the_smallest_that_the_greedy_order_gives() -> None:
    patches = points(400)
    bank = coreset(patches, 1.0, torch.Generator().manual_seed(3), radius=1.5)
    assert bank.radius == pytest.approx(radius(patches, bank.rows), rel=1e-5)
    assert bank.radius < 1.5
    assert radius(patches, bank.rows[:-1]) >= 1.5


@pytest.mark.parametrize(("reach", "size"), [(100.0, 2), (0.0, 40), (1e-9, 40)])  # half a percent of 400, and a tenth
def test_a_bank_by_radius_keeps_to_its_least_and_its_most(reach: float, size: int) -> None:
    assert len(coreset(points(400), 0.1, torch.Generator().manual_seed(3), radius=reach).rows) == size


def test_how_far_photos_are_apart_is_measured_between_photos_alone() -> None:
    photo = photos_of(5, 40)
    patches = photo.unsqueeze(1) * 10.0 + torch.rand(200, 6, generator=torch.Generator().manual_seed(1)) * 0.001
    for most in (0.0, 1.0):
        away = distance_to_other_photos(patches, photo, torch.Generator().manual_seed(0), most)
        assert 24 < away < 25  # 10 in each of 6 dimensions; within a photo it is 0.001


def test_a_single_photo_has_no_distance_to_others() -> None:
    assert distance_to_other_photos(points(30), photos_of(1, 30), torch.Generator().manual_seed(0), 0.95) == 0


def test_how_far_all_photos_are_apart_is_seen_from_a_quarter_of_them() -> None:
    photo, patches = photos_of(256, 20), points(256 * 20)
    of_all, seen, as_if_all = (
        distance_to_other_photos(patches[:n], photo[:n], torch.Generator().manual_seed(0), 0.5, share)
        for n, share in ((256 * 20, 1.0), (64 * 20, 0.25), (64 * 20, 1.0))
    )
    assert as_if_all > 1.15 * of_all
    assert seen == pytest.approx(of_all, rel=0.1)


def test_a_bank_that_leaves_photos_out_knows_nothing_of_them_and_covers_the_others_as_closely() -> None:
    photo = photos_of(6, 100)
    patches = points(600) + 3 * photo.unsqueeze(1)
    bank = coreset(patches, 0.2, torch.Generator().manual_seed(0))
    outs = [torch.isin(photo, torch.tensor(fold)) for fold in ([0, 3], [5], [1, 2, 4])]
    for out, rows in zip(outs, leaving_out(patches, bank, outs), strict=True):
        assert not out[rows].any()
        assert len(rows.unique()) == len(rows)
        assert radius(patches[~out], patches[rows]) <= bank.radius * (1 + 1e-5)
        assert len(rows) < 0.3 * int((~out).sum())


def test_with_no_centre_left_a_bank_begins_anew() -> None:
    photo = photos_of(2, 50)
    patches = points(100)
    bank = coreset(patches, 0.01, torch.Generator().manual_seed(0))
    (rows,) = leaving_out(patches, bank, [photo == photo[bank.indices[0]]])
    left = patches[photo != photo[bank.indices[0]]]
    assert radius(left, patches[rows]) <= bank.radius * (1 + 1e-5)


def test_a_bank_of_chunks_by_radius_takes_what_fits_and_reaches_its_radius_in_each_step() -> None:
    patches = points(400)
    bank = coreset_of_chunks(pieces_of(patches, 150), 150, 400, 0.9, radius=2.6).bank  # 0.9 would not fit
    assert len(bank.rows) < 50
    assert radius(patches, bank.rows) <= bank.radius + 1e-4 < 2 * 2.6


@pytest.mark.parametrize("reach", [0.0, 3.0])
def test_in_two_steps_a_bank_that_leaves_photos_out_covers_the_others_as_closely_too(reach: float) -> None:
    photo = photos_of(6, 100)
    patches = points(600) + 3 * photo.unsqueeze(1)
    patches[0] += 1000
    patches[100] = patches[0] + 0.01  # two photos of one chunk have it, and either stands for both
    folds = [frozenset({0, 3}), frozenset({1}), frozenset({0, 1}), frozenset({5})]  # a whole chunk, for one
    made = coreset_of_chunks(pieces_of(patches, 200, photo), 200, 600, 0.1, reach, folds)
    for fold, (rows, indices, claimed) in zip(folds, made.without, strict=True):
        assert torch.equal(rows, patches[indices])
        assert len(indices.unique()) == len(indices)
        assert set(photo[indices].tolist()) == set(range(6)) - fold
        others = patches[~torch.isin(photo, torch.tensor(sorted(fold)))]
        assert radius(others, rows) <= claimed * (1 + 1e-5)
        assert claimed == made.bank.radius


def test_a_chunk_is_gone_before_the_next_one_is_made() -> None:
    alive: list[weakref.ref[torch.Tensor]] = []

    def pieces() -> Iterator[Piece]:
        for patches in points(600).split(200):
            assert not [ref for ref in alive if ref() is not None]
            mine = patches.clone()
            alive.append(weakref.ref(mine))
            yield Piece(mine, torch.zeros(200), more=True)
            del mine

    every = pieces()
    first = next(every)
    again = put_back(first, every)
    del first
    coreset_of_chunks(again, 200, 600, 0.1, folds=[frozenset({0})])
    assert len(alive) == 3
