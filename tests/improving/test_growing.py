"""A bank that takes in more photos: the greedy order goes on from where it stopped."""

from __future__ import annotations

import plate_photos
import pytest
import torch
from torch import Tensor

from andon.backbones import Backbone
from andon.detectors.patchcore import PatchCore, PatchCoreConfig

CONFIGS = {
    "by radius": PatchCoreConfig(target_dim=8, coverage=1.5, reweight=False),
    "by share": PatchCoreConfig(target_dim=8, coreset_ratio=0.2, reweight=False),
    "with colour": PatchCoreConfig(target_dim=8, coverage=1.5, colour_weight=0.3, reweight=False),
}


def photos(seeds: range, *, rusty: bool = False) -> tuple[Tensor, Tensor]:
    """A batch of drawn parts, the ROI the whole photo."""
    drawn = [plate_photos.rusty(seed)[0] if rusty else plate_photos.part(seed) for seed in seeds]
    x = torch.stack([torch.from_numpy(photo.copy()) for photo in drawn]).permute(0, 3, 1, 2).float() / 255
    return x, torch.ones(len(x), *x.shape[2:], dtype=torch.bool)


def patches(detector: PatchCore, batch: tuple[Tensor, Tensor]) -> Tensor:
    with torch.inference_mode():
        return detector.queries(*batch).flatten(0, 2)


def plain_loop(bank: Tensor, points: Tensor, radius: float) -> list[int]:
    """Algorithm 1 from where it stopped: the farthest point joins, as long as it is farther than the radius."""
    away, taken = torch.cdist(points.double(), bank.double()).amin(dim=1), list[int]()
    while float(away.max()) > radius:
        taken.append(int(away.argmax()))
        away = torch.minimum(away, torch.cdist(points.double(), points[taken[-1:]].double())[:, 0])
    return taken


@pytest.fixture(params=CONFIGS)
def fitted(request: pytest.FixtureRequest, backbone: Backbone) -> PatchCore:
    return PatchCore(CONFIGS[request.param], backbone).fit([photos(range(6))], seed=0)


NEW = [photos(range(20, 22)), photos(range(30, 32), rusty=True)]


def grown(detector: PatchCore, folds: list[frozenset[int]]) -> tuple[PatchCore, list[PatchCore]]:
    return detector.grown(NEW, folds, radius=detector.facts["bank_radius"], first=6)


def test_it_is_the_greedy_order_on_old_and_new_patches_begun_with_the_rows_of_the_old_bank(fitted: PatchCore) -> None:
    new, _ = grown(fitted, [])
    joint = torch.cat([patches(fitted, batch) for batch in (photos(range(6)), *NEW)])
    radius = fitted.facts["bank_radius"]
    added = plain_loop(fitted.bank_, joint, radius * (1 + 1e-6))  # the network gives others than in a larger batch
    n = len(fitted.bank_)
    assert len(added) > 3 and min(added) >= len(patches(fitted, photos(range(6))))  # no old patch is that far
    assert torch.equal(new.bank_[:n], fitted.bank_) and torch.equal(new.origin_[:n], fitted.origin_)
    torch.testing.assert_close(new.bank_[n:], joint[added], rtol=1e-4, atol=1e-5)
    assert float(torch.cdist(joint, new.bank_).amin(dim=1).max()) <= radius * (1 + 1e-4)


def test_a_fold_has_the_bank_that_the_other_photos_make(fitted: PatchCore) -> None:
    _, (without,) = grown(fitted, [frozenset({1, 2})])
    others = [photos(range(20, 21)), photos(range(31, 32), rusty=True)]
    alone, _ = fitted.grown(others, [], radius=fitted.facts["bank_radius"], first=6)
    torch.testing.assert_close(without.bank_, alone.bank_, rtol=1e-4, atol=1e-5)
    assert set(without.origin_[:, 0].tolist()) <= {0, 1, 2, 3, 4, 5, 6, 9}


def test_rows_remember_the_new_photos(fitted: PatchCore) -> None:
    new, _ = grown(fitted, [])
    _, origin = new.most_like(*photos(range(30, 31), rusty=True))
    x, y = plate_photos.SPOT_AT
    h, w = origin.shape[1:3]
    row, column = y * h // plate_photos.SIZE[0], x * w // plate_photos.SIZE[1]
    assert origin[0, row, column, 0] == 8  # 6 old ones, two sound ones, then the one that is shown
    centre = torch.tensor([(row + 0.5) / h, (column + 0.5) / w])
    torch.testing.assert_close(origin[0, row, column, 1:], centre, atol=1 / h, rtol=0)


def test_scores_only_fall_and_photos_that_are_covered_already_add_nothing(fitted: PatchCore) -> None:
    new, _ = grown(fitted, [])
    batch = photos(range(6, 12))
    assert (new(*batch)[0] <= fitted(*batch)[0] + 1e-6).all()
    again, _ = new.grown([photos(range(2))], [], radius=fitted.facts["bank_radius"] * (1 + 1e-6), first=10)
    assert torch.equal(again.bank_, new.bank_)
