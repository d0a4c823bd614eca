"""The attention autoencoder: SSIM against scipy, CBAM by hand, its losses and its scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Detector
from andon.detectors._attention import AttentionAutoencoder, ChannelAttention, SpatialAttention
from andon.detectors._ssim import ssim
from andon.errors import ConfigError

HEIGHT, WIDTH = 48, 80


def noise(seed: int, n: int = 2) -> Tensor:
    return torch.rand(n, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))


class Brighter(nn.Module):
    """Gives back each photo, brighter by 0.1."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1


def brightening(backbone: Backbone, **parameters: Any) -> Detector[Any]:
    detector = detectors.create("attention_autoencoder", backbone, parameters)
    detector.network = Brighter()
    detector.taught_ = torch.tensor(True)
    return detector


def test_ssim_is_that_of_scipy() -> None:
    x, y = noise(0), 0.5 * noise(0) + 0.3 * noise(1)

    def blur(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(gaussian_filter(values, 1.5, radius=5, mode="constant", axes=(2, 3)))

    a, b = x.double().numpy(), y.double().numpy()
    mean_a, mean_b = blur(a), blur(b)
    covariance = blur(a * b) - mean_a * mean_b
    variances = blur(a * a) - mean_a**2 + blur(b * b) - mean_b**2
    expected = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
    expected /= (mean_a**2 + mean_b**2 + 1e-4) * (variances + 9e-4)
    np.testing.assert_allclose(ssim(x, y), expected, atol=1e-5)


def test_ssim_is_one_where_photos_are_equal_and_only_there() -> None:
    x, y = noise(0), noise(0)
    y[:, :, 20:28, 40:50] = 0.5
    alike = ssim(x, y)
    torch.testing.assert_close(alike[:, :, :, :30], torch.ones(2, 3, HEIGHT, 30))
    assert alike[:, :, 20:28, 40:50].mean() < 0.6


def test_attention_without_preference_halves_everything() -> None:
    x = noise(0).repeat(1, 3, 1, 1)
    for attention in (ChannelAttention(9), SpatialAttention()):
        for parameter in attention.parameters():
            nn.init.zeros_(parameter)
        torch.testing.assert_close(attention(x), x / 2)


def test_spatial_attention_turns_to_where_its_convolution_says() -> None:
    attention = SpatialAttention()
    for parameter in attention.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        attention.convolution.weight[0, 1, 3, 3] = 50  # the largest channel's value at the place itself
        assert attention.convolution.bias is not None
        attention.convolution.bias.sub_(25)
    x = torch.full((1, 4, 9, 13), 0.2)
    x[0, 2, 4, 7] = 1.0
    y = attention(x)
    assert y[0, 2, 4, 7] > 0.99
    assert y[0, :, 0, 0].max() < 1e-4


@pytest.mark.parametrize("size", [(48, 80), (37, 61), (16, 16)])
def test_the_network_gives_back_photos_of_any_size(size: tuple[int, int]) -> None:
    y = AttentionAutoencoder(width=4)(torch.rand(2, 3, *size))
    assert y.shape == (2, 3, *size)
    assert y.min() >= 0 and y.max() <= 1


def test_the_losses_count_the_roi_only(backbone: Backbone) -> None:
    x, roi = noise(0), torch.zeros(2, HEIGHT, WIDTH, dtype=torch.bool)
    roi[:, 8:40, 16:50] = True
    squared, dissimilar = brightening(backbone)._losses(x * roi.unsqueeze(1), roi)  # type: ignore[operator]
    assert squared.item() == pytest.approx(0.01, rel=1e-4)
    assert 0 < dissimilar.item() < 0.2


def test_the_score_is_the_mean_of_the_largest_pixel_errors_in_the_roi(backbone: Backbone) -> None:
    class Worse(nn.Module):
        """Wrong by 0.3 in 40 pixels of one colour, by 0.1 elsewhere."""

        def forward(self, x: Tensor) -> Tensor:
            y = x + 0.1
            y[:, 1, 10:14, 20:30] += 0.2
            return y

    x, roi = noise(0), torch.ones(2, HEIGHT, WIDTH, dtype=torch.bool)
    roi[1, 10:14] = False
    detector = brightening(backbone, top_k=80)
    detector.network = Worse()
    with torch.inference_mode():
        image, patch = detector(x, roi)
    high, low = (0.09 + 2 * 0.01) / 3, 0.01
    assert patch[0, 12, 25].item() == pytest.approx(high, rel=1e-3)
    torch.testing.assert_close(image, torch.tensor([(high + low) / 2, low]), rtol=1e-3, atol=0)
    assert (patch[1, 10:14] == 0).all()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("width", 0),
        ("ssim_weight", 1.5),
        ("ssim_weight", -0.1),
        ("top_k", 0),
        ("epochs", 0),
        ("patience", 0),
        ("learning_rate", 0.0),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(backbone: Backbone, key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^detector\.{key} is {value:g}; it must be .*\.$"):
        detectors.create("attention_autoencoder", backbone, {key: value})
