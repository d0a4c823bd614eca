"""PaDiM against numpy, and where position, ROI and size matter."""

from __future__ import annotations

import numpy as np
import psutil
import pytest
import torch
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Batch
from andon.detectors._embedding import concatenate
from andon.detectors._moments import Moments
from andon.detectors.padim import Padim, PadimConfig
from andon.errors import ConfigError

HEIGHT, WIDTH = 64, 96
ALL = {"dimensions": 99}  # more than the 20 channels there are


def photos(seed: int, n: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Batch:
    """Noise that is brighter on the right."""
    noise = torch.randn(n, 3, *size, generator=torch.Generator().manual_seed(seed))
    x = torch.linspace(0.2, 0.8, size[1]) + 0.05 * noise
    return x.clamp(0, 1), torch.ones(n, *size, dtype=torch.bool)


def taught(backbone: Backbone, *batches: Batch, **parameters: float) -> Padim:
    detector = detectors.create("padim", backbone, parameters)
    assert isinstance(detector, Padim)
    return detector.fit(batches, seed=0)


def test_the_score_is_numpys_mahalanobis_distance_at_each_position(backbone: Backbone) -> None:
    x, roi = photos(1, 30)
    detector = taught(backbone, (x[:20], roi[:20]), (x[20:], roi[20:]), regularisation=0.02, **ALL)
    queries, inside = photos(2, 2)
    image, patch = detector(queries, inside)
    known, new = (concatenate(backbone(photo))[:, detector.channels_].numpy() for photo in (x, queries))
    for row, column in ((0, 0), (3, 7), (7, 11)):
        points = known[:, :, row, column].astype(np.float64)
        inverse = np.linalg.inv(np.cov(points.T) + 0.02 * np.eye(20))
        difference = new[:, :, row, column] - points.mean(axis=0)
        expected = np.sqrt(np.einsum("bi,ij,bj->b", difference, inverse, difference))
        np.testing.assert_allclose(patch[:, row, column], expected, rtol=1e-3)
    assert torch.equal(image, patch.flatten(1).amax(dim=1))


def test_far_from_the_origin_the_sums_keep_their_digits() -> None:
    points = 300 + torch.randn(40, 1, 2, 3, generator=torch.Generator().manual_seed(0))
    moments = Moments(points.shape[1:])
    for batch in torch.split(points, 8):
        moments.add(batch, torch.ones(batch.shape[:3], dtype=torch.bool))
    mean, cholesky = moments.gaussians(0.01)
    covariance = cholesky @ cholesky.transpose(2, 3)
    np.testing.assert_allclose(mean[0, 1], points[:, 0, 1].mean(dim=0), rtol=1e-5)
    np.testing.assert_allclose(covariance[0, 1], np.cov(points[:, 0, 1].numpy().T) + 0.01 * np.eye(3), atol=1e-3)


def test_what_is_usual_on_the_left_is_unusual_on_the_right(backbone: Backbone) -> None:
    detector, (x, roi) = taught(backbone, photos(1, 12)), photos(2, 1)
    swapped = x.clone()
    swapped[:, :, 16:32, 64:80] = x[:, :, 16:32, :16]  # a patch of the dark side on the bright one
    _, patch = detector(swapped, roi)
    row, column = divmod(int(patch[0].argmax()), 12)
    assert row in (2, 3) and column in (8, 9)


def test_a_position_that_one_photo_alone_has_shown_is_judged_by_all_others(backbone: Backbone) -> None:
    x, roi = photos(1, 12)
    roi[1:, :16, :16] = False
    detector = taught(backbone, (x, roi), **ALL)
    assert torch.equal(detector.cholesky_[0, 0], detector.cholesky_[1, 1])
    assert not torch.equal(detector.cholesky_[0, 0], detector.cholesky_[4, 4])
    positions = torch.ones(12, 8, 12, dtype=torch.bool)
    positions[1:, :2, :2] = False
    points = concatenate(backbone(x * roi.unsqueeze(1))).permute(0, 2, 3, 1)[positions][:, detector.channels_]
    torch.testing.assert_close(detector.mean_[0, 0], points.mean(dim=0), rtol=1e-3, atol=1e-4)
    covariance = detector.cholesky_[0, 0] @ detector.cholesky_[0, 0].T - 0.01 * torch.eye(20)
    torch.testing.assert_close(covariance, points.T.cov(), rtol=1e-3, atol=1e-4)


def test_one_photo_is_enough_to_say_something(backbone: Backbone) -> None:
    image, patch = taught(backbone, photos(1, 1))(*photos(2, 2))
    assert image.isfinite().all() and patch.isfinite().all()


def test_it_draws_the_channels_by_its_seed(backbone: Backbone) -> None:
    one, other = (Padim(PadimConfig(dimensions=6), backbone).fit([photos(1, 4)], seed) for seed in (0, 1))
    assert one.channels_.shape == (6,) and one.cholesky_.shape == (8, 12, 6, 6)
    assert one.channels_.tolist() != other.channels_.tolist()


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (HEIGHT, WIDTH + 1)])
def test_photos_of_another_size_are_refused(backbone: Backbone, size: tuple[int, int]) -> None:
    why = f"was trained on photos of 96 x 64, but got one of {size[1]} x {size[0]}; .*'resize'"
    with pytest.raises(ConfigError, match=why):
        taught(backbone, photos(1, 4))(*photos(2, 1, size))
    with pytest.raises(ConfigError, match=why):
        taught(backbone, photos(1, 4), photos(2, 1, size))


def test_covariances_that_do_not_fit_into_memory_are_refused(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory:
        available = 1e5

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    with pytest.raises(ConfigError, match=r"needs 0\.0 GB for 8 x 12 covariances of 20 dimensions, .*dimensions lower"):
        taught(backbone, photos(1, 4))


@pytest.mark.parametrize(("key", "value"), [("dimensions", 0), ("regularisation", 0.0), ("regularisation", -1.0)])
def test_a_parameter_that_makes_no_sense_is_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^detector\.{key} is .*; it must be .*\.$"):
        PadimConfig(**{key: value})  # type: ignore[arg-type]


def test_without_a_gap_a_matrix_of_dependent_channels_still_has_a_factor(backbone: Backbone) -> None:
    still: Tensor = torch.full((3, 3, HEIGHT, WIDTH), 0.5)
    detector = taught(backbone, (still, torch.ones(3, HEIGHT, WIDTH, dtype=torch.bool)))
    torch.testing.assert_close(detector.cholesky_[2, 3], 0.1 * torch.eye(20))
