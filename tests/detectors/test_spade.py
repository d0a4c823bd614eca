"""SPADE against distances worked out one by one."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
import torch
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Batch
from andon.detectors._embedding import concatenate
from andon.detectors.spade import Spade, SpadeConfig
from andon.errors import ConfigError

HEIGHT, WIDTH = 64, 96


def photos(seed: int, n: int) -> Batch:
    """Noise on plates of different brightness."""
    generator = torch.Generator().manual_seed(seed)
    noise = 0.05 * torch.randn(n, 3, HEIGHT, WIDTH, generator=generator)
    brightness = 0.2 + 0.6 * torch.rand(n, 1, 1, 1, generator=generator)
    return (brightness + noise).clamp(0, 1), torch.ones(n, HEIGHT, WIDTH, dtype=torch.bool)


def taught(backbone: Backbone, batch: Batch, **parameters: Any) -> Spade:
    detector = detectors.create("spade", backbone, parameters)
    assert isinstance(detector, Spade)
    return detector.fit([batch], seed=0)


def squared(a: Tensor, b: Tensor) -> Tensor:
    return torch.cdist(a.double(), b.double()).square().float()


@pytest.mark.parametrize("num_pixels", [1, 3])
def test_both_scores_follow_the_paper(backbone: Backbone, num_pixels: int) -> None:
    known, new = photos(1, 9), photos(2, 2)
    image, patch = taught(backbone, known, num_photos=4, num_pixels=num_pixels)(*new)
    features, queries = (concatenate(backbone(x)).flatten(2).transpose(1, 2) for x, _ in (known, new))
    distances = squared(queries.mean(dim=1), features.mean(dim=1))
    for i in range(2):
        closest = distances[i].argsort()[:4]
        torch.testing.assert_close(image[i], distances[i][closest].mean(), rtol=1e-3, atol=1e-6)
        to_pixels = squared(queries[i], features[closest].flatten(0, 1))
        expected = to_pixels.topk(num_pixels, dim=1, largest=False).values.mean(dim=1)
        torch.testing.assert_close(patch[i].flatten(), expected, rtol=0.02, atol=1e-4)


def test_a_pixel_is_compared_with_the_photos_most_like_its_own_alone(backbone: Backbone) -> None:
    x, roi = photos(1, 8)
    x[:4], x[4:] = x[:4] * 0.2, 1 - 0.2 * x[4:]  # four dark plates and four bright ones
    half = x[4:5].clone()
    half[:, :, :, 64:] = x[0, :, :, 64:]  # a bright plate whose right third is a dark one's
    patches = [taught(backbone, (x, roi), num_photos=k)(half, roi[:1])[1][0] for k in (4, 8)]
    among_alike, among_all = (patch[1:-1, 9:-1].mean() for patch in patches)
    assert among_alike > 20 * among_all


def test_the_largest_pixel_can_be_the_score(backbone: Backbone) -> None:
    image, patch = taught(backbone, photos(1, 5), image_score="pixel")(*photos(2, 3))
    assert torch.equal(image, patch.flatten(1).amax(dim=1))


def test_a_share_of_the_pixels_of_every_photo_is_kept(backbone: Backbone) -> None:
    x, roi = photos(1, 3)
    roi[1, :, :48] = False
    detector = taught(backbone, (x, roi), pixel_share=0.25, target_dim=8)
    assert detector.origin_[:, 0].int().bincount().tolist() == [24, 12, 24]  # of 8 x 12, of which one photo shows half
    assert detector.gallery_.shape == (60, 8) and detector.gallery_.dtype == torch.float16


def test_a_photo_without_roi_scores_nothing(backbone: Backbone) -> None:
    x, roi = photos(2, 1)
    image, patch = taught(backbone, photos(1, 3))(x, torch.zeros_like(roi))
    assert image.item() == 0 and patch.abs().max() == 0


def test_a_gallery_that_does_not_fit_into_memory_is_refused(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory:
        available = 1e4

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    with pytest.raises(
        ConfigError, match=r"^The pixels of the first 3 OK photos fill .*detector\.pixel_share .* lower"
    ):
        taught(backbone, photos(1, 3))


@pytest.mark.parametrize(
    ("key", "value"),
    [("num_photos", 0), ("num_pixels", 0), ("target_dim", -1), ("pixel_share", 0.0), ("pixel_share", 1.5)],
)
def test_a_parameter_that_makes_no_sense_is_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^detector\.{key} is .*; it must be .*\.$"):
        SpadeConfig(**{key: value})  # type: ignore[arg-type]
