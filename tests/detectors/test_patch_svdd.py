"""Patch-SVDD: what a patch sees, what its losses ask for, and what its scores are the distance of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Batch
from andon.detectors._patch_svdd_network import DIRECTIONS, Classifier, Encoder, losses
from andon.detectors.patch_svdd import PatchSvdd
from andon.errors import ConfigError

HEIGHT, WIDTH = 64, 96
EVERYTHING = {"epochs": 2, "bank_patches": 10**6, "coreset_ratio": 1.0}


def photos(seed: int, n: int) -> Batch:
    """Smooth noise, so that neighbouring patches have something in common."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, HEIGHT // 8, WIDTH // 8, generator=generator)
    x = F.interpolate(coarse, (HEIGHT, WIDTH), mode="bilinear")
    return x, torch.ones(n, HEIGHT, WIDTH, dtype=torch.bool)


@pytest.fixture(scope="module")
def taught(backbone: Backbone) -> Iterator[PatchSvdd]:
    detector = detectors.create("patch_svdd", backbone, EVERYTHING)
    assert isinstance(detector, PatchSvdd)
    yield detector.fit([photos(1, 5)], seed=0)


@pytest.mark.parametrize(("which", "size"), [(0, 32), (1, 64)])
def test_a_patch_sees_its_own_pixels_and_no_others(which: int, size: int) -> None:
    torch.manual_seed(0)
    encoder, x = Encoder(), photos(1, 1)[0]
    changed = x.clone()
    changed[:, :, 30:34, 46:50] = 1 - changed[:, :, 30:34, 46:50]  # the pixels of cell (7.5, 11.5)
    with torch.inference_mode():
        moved = (encoder(x)[which] != encoder(changed)[which]).any(dim=1)[0]
    rows, columns = moved.nonzero().unbind(dim=1)
    reach = size // 2 + 2
    for cells, middle, limit in ((rows, 32, HEIGHT // 4), (columns, 48, WIDTH // 4)):
        centres = 4 * cells + 2
        assert (centres - middle).abs().max() <= reach
        assert centres.min() <= max(middle - reach + 8, 2) and centres.max() >= min(middle + reach - 8, 4 * limit - 2)


def coordinates(h: int, w: int) -> Tensor:
    """Features (1, 2, h, w) that are the position."""
    return torch.stack(torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")).float().unsqueeze(0)


class Knowing(Classifier):
    """Tells the direction from features that are positions."""

    def forward(self, difference: Tensor) -> Tensor:
        return 10 * F.normalize(difference, dim=1) @ F.normalize(torch.tensor(DIRECTIONS).float(), dim=1).T


@pytest.mark.parametrize("size", [32, 64])
def test_the_direction_is_from_the_first_patch_to_the_second(size: int) -> None:
    inside = torch.ones(1, 30, 40, dtype=torch.bool)
    entropy, svdd = losses(coordinates(30, 40), inside, Knowing(), size, 400, torch.Generator().manual_seed(0))
    assert entropy < 0.2
    wrong, _ = losses(-coordinates(30, 40), inside, Knowing(), size, 400, torch.Generator().manual_seed(0))
    assert wrong > 5
    nearby = size // 4 // 8  # an eighth of the side, in cells
    assert 0 < svdd <= 2 * nearby**2


def test_only_patches_inside_are_drawn() -> None:
    features = coordinates(30, 40)
    features[:, :, :, 20:] = torch.nan
    inside = torch.zeros(1, 30, 40, dtype=torch.bool)
    inside[:, 10:20, 5:10] = True
    _, svdd = losses(features, inside, Knowing(), 32, 200, torch.Generator().manual_seed(0))
    assert svdd.isfinite()


def test_the_score_is_the_geometric_mean_of_the_distances_at_both_sizes(taught: PatchSvdd) -> None:
    x, roi = photos(2, 2)
    with torch.inference_mode():
        image, patch = taught(x, roi)
        pairs = zip(taught.encoder(x), (taught.small_bank_, taught.large_bank_), strict=True)
        small, large = (
            torch.cdist(features.permute(0, 2, 3, 1).reshape(-1, 64), bank).amin(dim=1) for features, bank in pairs
        )
    torch.testing.assert_close(patch.flatten(), (small * large).sqrt(), rtol=1e-3, atol=1e-3)
    assert image.equal(patch.amax(dim=(1, 2)))


def test_with_all_patches_in_its_bank_it_knows_the_photos_that_taught_it(taught: PatchSvdd) -> None:
    assert len(taught.small_bank_) == len(taught.large_bank_) == 5 * (HEIGHT // 4) * (WIDTH // 4)
    with torch.inference_mode():
        known, _ = taught(*photos(1, 5))
        new, _ = taught(*photos(2, 5))
    assert known.max() < 1e-4 and new.min() > 0.01


def test_its_losses_fall_and_are_kept(backbone: Backbone) -> None:
    detector = detectors.create("patch_svdd", backbone, {"epochs": 4, "bank_patches": 100})
    history = detector.fit([photos(1, 8), photos(2, 8)], seed=0).history
    assert history is not None
    losses_of = history.losses
    assert set(losses_of) >= {"direction", "svdd"}
    assert all(len(values) == 4 for values in losses_of.values())
    assert losses_of["direction"][-1] < losses_of["direction"][0]


def test_a_bank_holds_the_share_of_the_drawn_patches(backbone: Backbone) -> None:
    parameters = {"epochs": 1, "bank_patches": 1000, "coreset_ratio": 0.2}
    detector = detectors.create("patch_svdd", backbone, parameters).fit([photos(1, 5)], seed=0)
    assert isinstance(detector, PatchSvdd)
    assert detector.small_bank_.shape == detector.large_bank_.shape == (200, 64)


@pytest.mark.parametrize("name", ["epochs", "patience", "learning_rate", "bank_patches", "coreset_ratio"])
def test_a_parameter_out_of_its_range_is_refused(name: str, backbone: Backbone) -> None:
    with pytest.raises(ConfigError, match=f"detector.{name} is 0; it must be"):
        detectors.create("patch_svdd", backbone, {name: 0})
