"""Skip-GANomaly: its score, its map, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Batch, Detector
from andon.errors import ConfigError, DatasetError, TrainingError

TINY = {"width": 4, "depth": 2, "epochs": 3}
H, W = 16, 24


class Photos:
    def __init__(self, n: int = 6, size: tuple[int, int] = (H, W)) -> None:
        self.x = torch.rand(n, 3, *size, generator=torch.Generator().manual_seed(0))

    def __iter__(self) -> Iterator[Batch]:
        yield from ((x, torch.ones_like(x[:, 0], dtype=torch.bool)) for x in self.x.split(4))


def taught(backbone: Backbone, photos: Photos | None = None, **parameters: Any) -> Detector[Any]:
    return detectors.create("skip_ganomaly", backbone, TINY | parameters).fit(photos or Photos(), 0)


def with_alpha(detector: Detector[Any], backbone: Backbone, alpha: float) -> Detector[Any]:
    return detectors.create("skip_ganomaly", backbone, TINY | {"alpha": alpha}).restore(detector.learned())


@torch.inference_mode()
def scores(detector: Detector[Any], x: Tensor, roi: Tensor | None = None) -> tuple[Tensor, Tensor]:
    return detector(x, torch.ones_like(x[:, 0], dtype=torch.bool) if roi is None else roi)


def test_the_score_mixes_two_errors_that_are_one_on_average_on_the_photos_that_taught(backbone: Backbone) -> None:
    detector, x = taught(backbone), Photos().x
    reconstruction, latent, mixed = (scores(with_alpha(detector, backbone, a), x)[0] for a in (1.0, 0.0, 0.3))
    assert reconstruction.mean().item() == pytest.approx(1, rel=1e-5)
    assert latent.mean().item() == pytest.approx(1, rel=1e-5)
    torch.testing.assert_close(mixed, 0.3 * reconstruction + 0.7 * latent)
    assert not torch.allclose(reconstruction, latent)


def test_the_map_is_the_reconstruction_error(backbone: Backbone) -> None:
    detector, x = taught(backbone), Photos().x
    _, patches = scores(detector, x)
    assert patches.shape == (6, H, W)
    whole = patches.mean(dim=(1, 2))
    reconstruction = scores(with_alpha(detector, backbone, 1.0), x)[0]
    torch.testing.assert_close(whole / whole.mean(), reconstruction)


def test_a_part_that_fills_half_the_photo_is_not_scored_half(backbone: Backbone) -> None:
    detector = taught(backbone)
    x = Photos().x
    roi = torch.ones(6, H, W, dtype=torch.bool)
    roi[:, :, W // 2 :] = False
    half, patches = scores(with_alpha(detector, backbone, 1.0), x, roi)
    error = patches[:, :, : W // 2].mean(dim=(1, 2)) / detector.learned()["error_scale_"][0]
    torch.testing.assert_close(half, error)
    assert (patches[:, :, W // 2 :] == 0).all()


def test_the_losses_are_kept(backbone: Backbone) -> None:
    history = taught(backbone).history
    assert history is not None
    assert list(history.losses) == ["adversarial", "contextual", "latent", "discriminator", "held-out"]
    assert all(len(values) == 3 for values in history.losses.values())


def test_it_learns_to_give_photos_back(backbone: Backbone) -> None:
    history = taught(backbone, epochs=30, learning_rate=5e-3, rotation=0.0, flip=False).history
    assert history is not None
    assert history.losses["contextual"][-1] < 0.9 * history.losses["contextual"][0]


@pytest.mark.parametrize(("size", "canvas"), [((18, 24), r"\[16, 24\]"), ((16, 26), r"\[16, 24\]")])
def test_a_size_that_the_network_cannot_take_is_refused_with_one_that_it_can(
    backbone: Backbone, size: tuple[int, int], canvas: str
) -> None:
    expected = rf"^Photos are {size[1]} x {size[0]} pixels .* multiples of 4 only; set steps.resize.canvas={canvas} "
    with pytest.raises(ConfigError, match=expected):
        taught(backbone, Photos(size=size))
    with pytest.raises(ConfigError, match=expected):
        scores(taught(backbone), Photos(size=size).x)


def test_a_step_that_is_far_too_large_is_refused_in_one_sentence(backbone: Backbone) -> None:
    with pytest.raises(TrainingError, match=r"not finite in epoch 1, .*; lower detector.learning_rate\.$"):
        taught(backbone, learning_rate=1e30)


def test_three_photos_are_too_few(backbone: Backbone) -> None:
    with pytest.raises(DatasetError, match="Only 3 of the OK photos can train"):
        taught(backbone, Photos(3))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("alpha", 1.5),
        ("width", 0),
        ("depth", 1),
        ("latent_weight", -0.1),
        ("epochs", 0),
        ("patience", 0),
        ("learning_rate", 0.0),
        ("rotation", 181.0),
        ("painted", 1.0),
        ("glare", 1.1),
    ],
)
def test_a_parameter_out_of_range_is_refused(backbone: Backbone, parameter: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^detector\.{parameter} is {value:g}; it must be "):
        detectors.create("skip_ganomaly", backbone, {parameter: value})
