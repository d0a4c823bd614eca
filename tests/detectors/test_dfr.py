"""DFR: its streamed statistics against numpy, its grid, what it holds in memory, and the recipe prefilter."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import plate_photos
import pytest
import torch
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Detector
from andon.detectors._covariance import StreamedCovariance, components
from andon.errors import ConfigError, DatasetError
from andon.teaching.train import train

HEIGHT, WIDTH = 48, 80
QUICK = {"grid": 12, "samples": 600, "top_k": 5, "epochs": 2}


class Spread(Backbone):
    """Maps of 8 channels at strides 4 and 16 that are mixtures of three planes: red, green and blue."""

    def __init__(self) -> None:
        super().__init__((8, 8), (4, 16))
        self.register_buffer("mix", torch.rand(8, 3, generator=torch.Generator().manual_seed(0)))
        self.most_at_once = 0
        self.freeze()

    def forward(self, x: Tensor) -> list[Tensor]:
        self.most_at_once = max(self.most_at_once, len(x))
        mixed = torch.einsum("kc,bchw->bkhw", self.get_buffer("mix"), x)
        return [torch.nn.functional.avg_pool2d(mixed, stride) for stride in self.strides]


def photos(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    x = torch.rand(n, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))
    return x, torch.ones(n, HEIGHT, WIDTH, dtype=torch.bool)


def taught(backbone: Backbone, roi: Tensor | None = None, **parameters: Any) -> Detector[Any]:
    x, whole = photos(8)
    batch = (x, whole if roi is None else roi)
    return detectors.create("dfr", backbone, QUICK | parameters).fit([batch], seed=0)


def score(detector: Detector[Any], x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        return detector(x, roi)


def test_the_streamed_covariance_is_that_of_numpy() -> None:
    rows = np.random.default_rng(0).normal(1000, 0.1, (500, 6)).astype(np.float32)  # far from zero
    rows[:, 1] = rows[:, 0] + 3
    streamed = StreamedCovariance()
    for piece in np.split(rows, [0, 40, 300]):  # the first is empty
        streamed.add(torch.from_numpy(piece))
    assert streamed.n == 500
    np.testing.assert_allclose(streamed.mean, rows.astype(float).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(streamed.covariance, np.cov(rows.astype(float).T, bias=True), atol=1e-6)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1), (0.61, 2), (0.89, 2), (0.91, 3), (0.999, 4)])
def test_the_components_that_hold_a_share_of_the_variance(share: float, expected: int) -> None:
    variances = torch.tensor([0.07, 0.6, 0.03, 0.3], dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).Q
    assert components(turn @ variances.diag() @ turn.T, share) == expected


def test_features_without_variance_have_one_component() -> None:
    assert components(torch.zeros(3, 3, dtype=torch.float64), 0.9) == 1


def test_the_latent_size_is_the_dimension_of_the_features() -> None:
    latent = int(taught(Spread(), variance=0.999).learned()["latent_"])
    assert latent == 6  # 16 channels, but three colours at each of two scales
    assert int(taught(Spread(), variance=0.3).learned()["latent_"]) < 3


def test_no_more_than_one_photo_is_held_at_full_width() -> None:
    backbone = Spread()
    detector = taught(backbone)
    score(detector, *photos(5))
    assert backbone.most_at_once == 1


@pytest.mark.parametrize("grid", [6, 12, 15])
def test_all_maps_are_brought_to_the_grid_and_the_score_is_the_mean_of_the_largest(grid: int) -> None:
    image, patch = score(taught(Spread(), grid=grid), *photos(3, seed=1))
    assert patch.shape == (3, grid, round(grid * WIDTH / HEIGHT))
    torch.testing.assert_close(image, patch.flatten(1).sort(descending=True).values[:, :5].mean(dim=1))


def test_maps_finer_than_the_grid_are_averaged() -> None:
    detector, (x, roi) = taught(Spread(), grid=3), photos(1)
    ((features, _),) = detector._features(x, roi)  # type: ignore[operator]
    at4 = detector.backbone(x)[0]
    torch.testing.assert_close(features[:8].view(8, 3, 5), torch.nn.functional.avg_pool2d(at4, 4)[0])


def test_a_channel_that_never_moves_is_not_blown_up() -> None:
    class Stuck(Spread):
        def forward(self, x: Tensor) -> list[Tensor]:
            fine, coarse = super().forward(x)
            return [torch.cat([fine[:, :7], torch.full_like(fine[:, 7:], 0.3)], dim=1), coarse]

    detector = taught(Stuck())
    spread = detector.learned()["spread_"]
    assert 0.005 < spread[7] / spread[:7].mean() < 0.02


def test_the_memory_is_stated_before_the_backbone_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    class Silent(Spread):
        def forward(self, x: Tensor) -> list[Tensor]:
            raise InterruptedError

    with caplog.at_level(logging.INFO, "andon"), pytest.raises(InterruptedError):
        taught(Silent())
    assert "for the 16 channels of a photo on 20 x 12 positions and 1.9e-05 GB for 600 sampled" in caplog.text


def test_more_than_six_gigabytes_are_refused_with_what_would_fit() -> None:
    with pytest.raises(ConfigError, match=r"more than its 6 GB; set detector\.grid to 3749 or less\.$"):
        taught(Spread(), grid=6000)
    with pytest.raises(ConfigError, match=r"more than its 6 GB; set detector\.samples to 93750000 or less\.$"):
        taught(Spread(), samples=100_000_000)


def test_photos_without_anything_in_the_roi_teach_nothing() -> None:
    with pytest.raises(DatasetError, match="The ROI is empty in every OK photo; "):
        taught(Spread(), roi=torch.zeros(8, HEIGHT, WIDTH, dtype=torch.bool))


def test_a_photo_without_roi_among_others_does_no_harm() -> None:
    roi = torch.ones(8, HEIGHT, WIDTH, dtype=torch.bool)
    roi[3] = False
    image, _ = score(taught(Spread(), roi=roi), photos(2)[0], roi[2:4])
    assert image[0] > 0 and image[1] == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("grid", 0),
        ("variance", 1.0),
        ("variance", 0.0),
        ("samples", 0),
        ("top_k", 0),
        ("epochs", 0),
        ("patience", 0),
        ("learning_rate", 0.0),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(backbone: Backbone, key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^detector\.{key} is {value:g}; it must be .*\.$"):
        detectors.create("dfr", backbone, {key: value})


@pytest.mark.slow
def test_the_recipe_prefilter_finds_a_rusty_plate(data: Path) -> None:
    settings = ("steps.resize.image_size=64", "anomaly_map.sigma=1", "detector.grid=16", "detector.samples=2000")
    model = train(data, recipe="prefilter", settings=(*settings, "detector.epochs=6", "detector.top_k=5"))
    photo, mask = plate_photos.rusty(600)
    inspection = model.pipeline.inspect(photo)
    assert inspection.verdict == "NG"
    assert inspection.anomaly_map is not None
    assert mask[np.unravel_index(inspection.anomaly_map.argmax(), mask.shape)]
    assert model.manifest.epochs is not None and model.manifest.epochs.best >= 1
