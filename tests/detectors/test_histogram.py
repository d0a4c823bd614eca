"""histogram: it sees colours and nothing else, as a whole and place by place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf
from sklearn.mixture import GaussianMixture
from torch import Tensor

from andon import backbones, detectors
from andon.backbones import Backbone
from andon.detectors import Batch, Detector
from andon.detectors._gaussians import Gaussians
from andon.detectors._histograms import histograms, photo_histograms, window_histograms
from andon.errors import ConfigError
from andon.models.save import save
from andon.models.taught import Taught, assemble
from andon.models.trained import load_taught
from andon.recipes import Recipe

SIZE = (48, 80)
GREY, RED, BLUE = (0.5, 0.5, 0.5), (0.7, 0.3, 0.3), (0.3, 0.3, 0.7)


def photos(colour: tuple[float, float, float], n: int, seed: int) -> Batch:
    """Parts of one colour with some grain, each a little lighter or darker."""
    generator = torch.Generator().manual_seed(seed)
    light = 0.02 * torch.randn(n, 1, 1, 1, generator=generator)
    grain = 0.03 * torch.randn(n, 3, *SIZE, generator=generator)
    x = torch.tensor(colour).view(1, 3, 1, 1) + light + grain
    return x.clamp(0, 1), torch.ones(n, *SIZE, dtype=torch.bool)


def taught(backbone: Backbone, batches: list[Batch], **parameters: Any) -> Detector[Any]:
    return detectors.create("histogram", backbone, parameters).fit(batches, seed=0)


def image_scores(detector: Detector[Any], batch: Batch) -> Tensor:
    with torch.inference_mode():
        scores: Tensor = detector(*batch)[0]
    return scores


def test_a_pixel_counts_for_the_two_bins_it_lies_between() -> None:
    x = torch.zeros(1, 3, 16, 24)
    x[:, 0], x[:, 1] = 0.25, 1.0
    counts, covered = histograms(x, torch.ones(1, 16, 24, dtype=torch.bool), "rgb", bins=3)
    assert counts.shape == (1, 9, 2, 3) and (covered == 1).all()
    assert counts[0, :, 1, 2].tolist() == [0.5, 0.5, 0, 0, 0, 1, 1, 0, 0]
    shares = photo_histograms(counts, covered).square()
    torch.testing.assert_close(shares[0], torch.tensor([0.5, 0.5, 0, 0, 0, 1, 1, 0, 0]))


def test_grey_lies_in_the_middle_of_a_and_b() -> None:
    x = torch.full((1, 3, 16, 24), 0.5)
    counts, _ = histograms(x, torch.ones(1, 16, 24, dtype=torch.bool), "lab", bins=5)
    lightness, a, b = counts[0, :, 0, 0].view(3, 5)
    torch.testing.assert_close(a, torch.tensor([0, 0, 1.0, 0, 0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(b, torch.tensor([0, 0, 1.0, 0, 0]), atol=1e-3, rtol=0)
    assert (lightness * torch.arange(5)).sum() / 4 == pytest.approx(0.534, abs=1e-3)  # L* of sRGB 0.5 is 53.4


def test_only_the_roi_is_counted() -> None:
    x, roi = torch.zeros(1, 3, 16, 24), torch.zeros(1, 16, 24, dtype=torch.bool)
    roi[:, 2:7, 3:20] = True
    x[:, :, 2:7, 3:20] = 1.0
    counts, covered = histograms(x, roi, "rgb", bins=2)
    for shares in (photo_histograms(counts, covered), window_histograms(counts, covered, 3)[:, 0, 1]):
        torch.testing.assert_close(shares, torch.tensor([[0, 1.0] * 3]))


def test_the_image_score_does_not_know_where_the_colours_are(backbone: Backbone) -> None:
    detector = taught(backbone, [photos(GREY, 8, seed=0)])
    x, roi = photos(RED, 1, seed=1)
    order = torch.randperm(SIZE[0] * SIZE[1], generator=torch.Generator().manual_seed(2))
    shuffled = x.flatten(2)[:, :, order].view_as(x)
    torch.testing.assert_close(
        image_scores(detector, (x, roi)), image_scores(detector, (shuffled, roi)), rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("colours", ["lab", "rgb"])
@pytest.mark.parametrize("method", ["mahalanobis", "mixture"])
def test_another_colour_outscores_every_ok_photo_the_more_there_is_of_it(
    colours: str, method: str, backbone: Backbone
) -> None:
    detector = taught(backbone, [photos(GREY, 12, seed=0)], colours=colours, method=method, components=2)
    x, roi = photos(GREY, 6, seed=1)
    some, more = x[:1].clone(), x[:1].clone()
    some[:, 0, :16, :16] = more[:, 0, :, :32] = 0.9
    ok, ng = image_scores(detector, (x, roi)), image_scores(detector, (torch.cat([some, more]), roi[:2]))
    assert ok.max() < ng[0] < ng[1]


def test_a_mixture_knows_parts_of_two_colours(backbone: Backbone) -> None:
    two = [photos(RED, 12, seed=0), photos(BLUE, 12, seed=1)]
    neither = photos((0.5, 0.3, 0.5), 2, seed=2)
    known = [photos(RED, 2, seed=3), photos(BLUE, 2, seed=4)]
    detector = taught(backbone, two, method="mixture", components=2)
    assert max(image_scores(detector, batch).max() for batch in known) < image_scores(detector, neither).min() / 3


def test_a_saved_mixture_scores_the_same_to_the_last_bit(tmp_path: Path) -> None:
    recipe = Recipe.from_tree({"detector": {"name": "histogram", "method": "mixture", "components": 2}})
    detector = detectors.of_recipe(recipe, backbones.create(recipe.backbone)).fit([photos(GREY, 6, seed=0)], 0)
    save(Taught(recipe, detector, assemble(recipe, detector)), tmp_path / "m.safetensors")
    restored = load_taught(tmp_path / "m.safetensors").detector
    batch = photos(RED, 2, seed=1)
    assert torch.equal(image_scores(detector, batch), image_scores(restored, batch))


def test_one_gaussian_gives_the_mahalanobis_distance_of_the_shrunk_covariance() -> None:
    rng = np.random.default_rng(0)
    points, others = rng.normal(size=(20, 5)) * [1, 2, 3, 4, 5], rng.normal(size=(4, 5))
    gaussians = Gaussians()
    gaussians.fit(torch.from_numpy(points).float(), 1, least_variance=0.5, seed=0)
    inverse = np.linalg.inv(LedoitWolf().fit(points).covariance_ + 0.5 * np.eye(5))
    expected = [mahalanobis(point, points.mean(axis=0), inverse) for point in others]
    np.testing.assert_allclose(gaussians(torch.from_numpy(others).float()), expected, rtol=1e-4)


def test_a_mixture_gives_its_density_as_a_distance() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(-5, 1, (30, 4)), rng.normal(5, 2, (60, 4))])
    gaussians = Gaussians()
    gaussians.fit(torch.from_numpy(points).float(), 2, least_variance=1e-3, seed=7)
    mixture = GaussianMixture(2, covariance_type="diag", reg_covar=1e-3, random_state=7).fit(points)
    peaks = mixture.weights_ / np.sqrt((2 * np.pi) ** 4 * mixture.covariances_.prod(axis=1))
    expected = np.sqrt(2 * (np.log(peaks.sum()) - mixture.score_samples(points)))
    np.testing.assert_allclose(gaussians(torch.from_numpy(points).float()), expected, rtol=1e-3, atol=1e-2)


def test_identical_photos_teach_it_nothing_that_breaks(backbone: Backbone) -> None:
    x, roi = photos(GREY, 1, seed=0)
    for method in ("mahalanobis", "mixture"):
        detector = taught(backbone, [(x.expand(4, -1, -1, -1), roi.expand(4, -1, -1))], method=method)
        assert image_scores(detector, (x, roi)).item() == pytest.approx(0, abs=0.1)
        assert image_scores(detector, photos(RED, 1, seed=1)).isfinite().all()


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("bins", 1, "detector.bins is 1; it must be from 2 to 64."),
        ("window", 4, "detector.window is 4; it must be an odd number of cells"),
        ("window", -1, "detector.window is -1; it must be an odd number"),
        ("components", 1, "detector.components is 1; it must be 2 or more"),
        ("method", "mahalanobi", "detector.method is 'mahalanobi'; did you mean 'mahalanobis'?"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    parameter: str, value: object, sentence: str, backbone: Backbone
) -> None:
    with pytest.raises(ConfigError) as error:
        detectors.create("histogram", backbone, {parameter: value})
    assert str(error.value).startswith(sentence)
