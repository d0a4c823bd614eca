"""What PatchCore leaves out where some of the photos that teach it are damaged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Batch, _density, _two_steps, patchcore
from andon.detectors._density import aloneness, densest
from andon.detectors.patchcore import PatchCore

HEIGHT, WIDTH = 64, 96
SPOT = (slice(16, 48), slice(32, 80))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def surfaces(n_photos: int, n: int) -> list[Tensor]:
    """Patches of plain surface, of each photo, and one of a valve: rare in a photo, varied, and in every photo."""
    generator = seeded()
    plain = torch.randn(n_photos, n, 8, generator=generator)
    valves = 50 + 5 * torch.randn(n_photos, 1, 8, generator=generator)
    return list(torch.cat([plain, valves], dim=1))


def by_hand(photos: list[Tensor], neighbors: int) -> Tensor:
    """All pairs, in float64."""
    patches = torch.cat(photos).double()
    of_photo = torch.cat([torch.full((len(photo),), i) for i, photo in enumerate(photos)])
    nearest_of, rows = [], []
    for patch, own in zip(patches, of_photo.tolist(), strict=True):
        distance = (patches - patch).square().sum(dim=1).sqrt()
        best = [distance.masked_fill(of_photo != other, torch.inf).min(dim=0) for other in range(len(photos))]
        best = sorted((b for other, b in enumerate(best) if other != own), key=lambda found: float(found.values))
        nearest_of.append(torch.stack([found.values for found in best[:neighbors]]).mean())
        rows.append(torch.stack([found.indices for found in best[:neighbors]]))
    distances = torch.stack(nearest_of)
    return (distances / distances[torch.stack(rows)].mean(dim=1)).float()


def test_it_is_what_all_pairs_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_density, "QUERIES_AT_ONCE", 7)
    photos = [torch.randn(n, 8, generator=seeded(n)) for n in (9, 14, 5, 11)]
    alone = aloneness(torch.cat(photos), [9, 14, 5, 11], 2, seeded())
    torch.testing.assert_close(alone, by_hand(photos, 2), rtol=1e-4, atol=0)


def test_damage_is_left_out_although_it_has_its_like_in_its_own_photo_and_in_another() -> None:
    photos = surfaces(12, 40)
    dent = 9 + 0.1 * torch.randn(20, 8, generator=seeded(1))
    photos[3], photos[7] = torch.cat([photos[3], dent[:10]]), torch.cat([photos[7], dent[10:]])
    counts = [len(photo) for photo in photos]
    kept = torch.split(densest(torch.cat(photos), counts, 0.9, 8, seeded()), counts)
    assert not kept[3][-10:].any() and not kept[7][-10:].any()
    assert sum(int(photo[40]) for photo in kept) >= 11  # the valves stay
    assert sum(int(photo.sum()) for photo in kept) == round(0.9 * sum(counts))


def test_with_more_photos_than_are_looked_at_each_patch_is_compared_with_drawn_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_density, "PHOTOS", 5)
    photos = surfaces(12, 40)
    photos[3][:6] += 9
    counts = [41] * 12
    one, same, other = (aloneness(torch.cat(photos), counts, 8, seeded(s)) for s in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)
    worst = one.topk(6).indices
    assert ((worst >= 3 * 41) & (worst < 3 * 41 + 6)).all()


@pytest.mark.parametrize("counts", [[30], [0, 30], [15, 15]])
def test_few_photos_or_equal_ones_are_no_trouble(counts: list[int]) -> None:
    assert densest(torch.ones(30, 4), counts, 0.5, 8, seeded()).sum() == 15


def plates(seed: int, n: int) -> Batch:
    x = 0.5 + 0.05 * torch.randn(n, 3, HEIGHT, WIDTH, generator=seeded(seed))
    return x.clamp(0, 1), torch.ones(n, HEIGHT, WIDTH, dtype=torch.bool)


def damaged(x: Tensor) -> Tensor:
    x = x.clone()
    x[:, 0, *SPOT], x[:, 1:, *SPOT] = 0.9, 0.1
    return x


def taught(backbone: Backbone, batches: list[Batch], keep: float) -> PatchCore:
    detector = detectors.create(
        "patchcore", backbone, {"density_keep": keep, "coreset_ratio": 0.2, "colour_weight": 0.5}
    )
    assert isinstance(detector, PatchCore)
    return detector.fit(batches, seed=0)


def test_taught_with_a_damaged_part_it_still_finds_such_damage(backbone: Backbone) -> None:
    x, roi = plates(1, 12)
    x[4:5] = damaged(x[4:5])
    new, inside = plates(2, 1)
    margins = {}
    for keep in (1.0, 0.8):
        detector = taught(backbone, [(x[:8], roi[:8]), (x[8:], roi[8:])], keep)
        (sound, found), _ = detector(torch.cat([new, damaged(new)]), inside.repeat(2, 1, 1))
        margins[keep] = (found / sound).item()
    assert margins[1.0] < 1.5 and margins[0.8] > 3


def test_where_not_all_patches_fit_into_memory_each_chunk_is_sifted(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patchcore, "chunk_size", lambda dim: 700)  # 7 photos of 96 patches
    monkeypatch.setattr(_two_steps.LOG, "warning", lambda message: None)
    x, roi = plates(1, 12)
    x[4:5] = damaged(x[4:5])
    new, inside = plates(2, 1)
    detector = taught(backbone, [(x[:8], roi[:8]), (x[8:], roi[8:])], 0.8)
    assert len(detector.bank_) == round(0.2 * round(0.8 * 12 * 96))
    (sound, found), _ = detector(torch.cat([new, damaged(new)]), inside.repeat(2, 1, 1))
    assert found > 3 * sound


def test_trusting_every_photo_it_draws_nothing(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object) -> Iterator[Tensor]:
        raise AssertionError

    monkeypatch.setattr(patchcore, "densest", never)
    taught(backbone, [plates(1, 2)], 1.0)
