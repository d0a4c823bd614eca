"""PatchCore against numpy, faiss and OpenCV, and against cases worked by hand."""

from __future__ import annotations

from typing import Any

import cv2
import faiss
import numpy as np
import pytest
import torch
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Batch, Detector, patchcore
from andon.detectors._embedding import embed, mean_chroma, mean_lab, random_orthogonal, srgb_to_lab
from andon.detectors._scoring import nearest, neighbours, top_k_mean
from andon.detectors.patchcore import PatchCore
from andon.errors import ConfigError

HEIGHT, WIDTH = 64, 96


def grey_photos(seed: int, n: int) -> tuple[Tensor, Tensor]:
    """Plates of grey grain: all three channels alike."""
    grain = 0.5 + 0.1 * torch.randn(n, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))
    return grain.clamp(0, 1).repeat(1, 3, 1, 1), torch.ones(n, HEIGHT, WIDTH, dtype=torch.bool)


def taught(backbone: Backbone, **parameters: Any) -> PatchCore:
    return fitted(backbone, grey_photos(1, 4), **parameters)


def fitted(backbone: Backbone, *batches: Batch, **parameters: Any) -> PatchCore:
    detector = detectors.create("patchcore", backbone, parameters)
    assert isinstance(detector, PatchCore)
    return detector.fit(batches, seed=0)


def score(detector: Detector[Any], x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        return detector(x, roi)


def test_the_nearest_distances_are_those_of_faiss() -> None:
    generator = torch.Generator().manual_seed(0)
    bank = torch.randn(500, 48, generator=generator) + 5  # far from the origin, where a matrix product loses digits
    queries = torch.cat([torch.randn(1500, 48, generator=generator) + 5, bank[:20] + 1e-3])
    index = faiss.IndexFlatL2(48)
    index.add(bank.double().float().numpy())
    exact = torch.cdist(queries.double(), bank.double()).min(dim=1)
    squared, found = index.search(queries.numpy(), 1)
    distance, position = nearest(queries, bank)
    np.testing.assert_allclose(distance[:1500], np.sqrt(squared[:1500, 0]), rtol=1e-4)
    np.testing.assert_allclose(distance, exact.values, rtol=1e-4)  # and exact where faiss itself loses digits
    assert (position.numpy() == found[:, 0]).mean() > 0.999


def test_the_neighbours_are_those_of_a_sort_nearest_first() -> None:
    bank = torch.tensor([[0.0, 0.0], [3.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    assert neighbours(torch.tensor([[0.1, 0.0]]), bank, 3).tolist() == [[0, 2, 3]]
    assert neighbours(torch.tensor([[0.1, 0.0]]), bank, 9).shape == (1, 4)


def test_reweighting_lowers_the_maximum_and_leaves_the_patches(backbone: Backbone) -> None:
    plain, weighted = taught(backbone, reweight=False), taught(backbone)
    image, patch = score(plain, *grey_photos(2, 2))
    image_weighted, patch_weighted = score(weighted, *grey_photos(2, 2))
    assert torch.equal(patch, patch_weighted)
    assert torch.equal(image, patch.flatten(1).amax(dim=1))
    assert (image_weighted < image).all() and (image_weighted > 0).all()


def test_with_one_neighbour_there_is_nothing_to_weigh_against(backbone: Backbone) -> None:
    image, patch = score(taught(backbone, num_neighbors=1), *grey_photos(2, 2))
    assert torch.equal(image, patch.flatten(1).amax(dim=1))


@pytest.mark.parametrize("share", [1.0, 0.3, 0.02])
def test_the_mean_of_the_highest_is_that_of_numpy_within_the_roi(share: float) -> None:
    generator = torch.Generator().manual_seed(3)
    inside = torch.rand(4, 200, generator=generator) < share
    inside[:, 7] = True
    scores = torch.rand(4, 200, generator=generator)
    each = zip(scores.numpy(), inside.numpy(), strict=True)
    expected = [np.sort(values[mask])[-10:].mean() for values, mask in each]
    np.testing.assert_allclose(top_k_mean(scores, inside, 10), expected, rtol=1e-5)
    assert top_k_mean(scores, torch.zeros_like(inside), 10).tolist() == [0.0] * 4


def test_with_colour_an_orange_patch_stands_out_from_grey_parts(backbone: Backbone) -> None:
    x, roi = grey_photos(2, 3)
    orange = torch.tensor([0.62, 0.48, 0.30]).view(3, 1, 1)  # about as light as the grey
    x[2, :, 16:32, 48:64] = orange * (x[2, :, 16:32, 48:64] / 0.5)
    margins = {}
    for weight in (0.0, 0.8):
        image, patch = score(taught(backbone, colour_weight=weight, reweight=False), x, roi)
        margins[weight] = (image[2] / image[:2].max()).item()
        if weight:
            row, column = divmod(int(patch[2].argmax()), patch.shape[2])
            assert (row, column) in {(r, c) for r in (2, 3) for c in (6, 7)}
    assert margins[0.8] > 2
    assert margins[0.8] > 1.5 * margins[0.0]


def test_without_colour_the_bank_holds_the_plain_projected_embedding(backbone: Backbone) -> None:
    detector = taught(backbone, colour_weight=0.0, target_dim=6, coreset_ratio=1.0)
    x, _ = grey_photos(1, 4)
    plain = torch.einsum("bchw,cd->bhwd", embed(backbone, x), detector.projection_).flatten(0, 2)
    assert detector.bank_.shape == plain.shape
    torch.testing.assert_close(detector.bank_.sum(dim=0), plain.sum(dim=0))


def test_colour_takes_the_promised_share_of_the_total_variance(backbone: Backbone) -> None:
    x, roi = grey_photos(1, 4)
    x[:, 2, :, ::2] *= torch.tensor([0.3, 0.5, 0.7, 0.9]).view(4, 1, 1)  # from yellow to grey
    bank = fitted(backbone, (x, roi), colour_weight=0.3, target_dim=6, coreset_ratio=1.0).bank_
    variance = bank.var(dim=0)
    assert bank.shape[1] == 6 + 2
    assert variance.sum().item() == pytest.approx(1, rel=1e-4)
    assert variance[6:].sum().item() == pytest.approx(0.3, rel=1e-4)


def test_the_noise_of_grey_parts_is_not_blown_up_to_colour(backbone: Backbone) -> None:
    x, roi = grey_photos(1, 4)
    x += 0.002 * torch.randn(x.shape, generator=torch.Generator().manual_seed(4))
    bank = fitted(backbone, (x, roi), colour_weight=0.3, target_dim=6, coreset_ratio=1.0).bank_
    assert bank[:, 6:].var(dim=0).sum() < 0.03


def tinted_photos(n: int) -> tuple[Tensor, Tensor]:
    """Grey plates, ever more of them yellow."""
    x, roi = grey_photos(1, n)
    x[:, 2, :, ::2] *= torch.linspace(0.3, 0.9, n).view(n, 1, 1)
    return x, roi


@pytest.mark.parametrize("keep", [1.0, 0.8])
def test_a_bank_from_chunks_holds_the_patches_as_they_are_scored(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, keep: float
) -> None:
    """Also those of a batch in the middle of which the first chunk ends, from which the colour's share comes."""
    monkeypatch.setattr(patchcore, "chunk_size", lambda dim: 250)  # of 96 patches a photo
    x, roi = tinted_photos(9)
    batches = [(x[:5], roi[:5]), (x[5:], roi[5:])]
    parameters = {"target_dim": 6, "coreset_ratio": 0.03, "density_keep": keep}
    detector = fitted(backbone, *batches, colour_weight=0.3, **parameters)
    _, patch = score(detector, x, roi)
    photo, row, column = (detector.origin_ * torch.tensor([1, 8, 12])).long().unbind(dim=1)
    assert len(detector.bank_) == round(0.03 * keep * 9 * 96)
    assert len(set(photo.tolist())) > 3
    assert patch[photo, row, column].max() < 1e-3 * patch.max()


class Counting(Backbone):
    """Counts the photos that pass."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__(backbone.channels, backbone.strides)
        self._backbone = [backbone]
        self.passed: list[int] = []

    def forward(self, x: Tensor) -> list[Tensor]:
        self.passed.append(len(x))
        maps: list[Tensor] = self._backbone[0](x)
        return maps


def test_counting_the_patches_of_many_photos_does_not_take_them_through_the_network_again(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patchcore, "chunk_size", lambda dim: 250)
    (x, roi), counting = grey_photos(1, 8), Counting(backbone)
    roi[2:5, :, 40:] = False
    smaller = x[:2, :, :48, :80].contiguous(), roi[:2, :48, :80].contiguous()
    batches = [(x[:4], roi[:4]), (x[4:], roi[4:]), smaller]
    detector = fitted(counting, *batches, coreset_ratio=0.03)
    assert len(detector.bank_) == round(0.03 * (5 * 8 * 12 + 3 * 8 * 5 + 2 * 6 * 10))
    assert sum(counting.passed) == 10 + 2  # one of each size tells how many patches it has


def test_light_and_shade_are_no_colour() -> None:
    x, roi = grey_photos(1, 2)
    size = (HEIGHT // 8, WIDTH // 8)
    assert mean_chroma(x, roi, size).abs().max() < 0.05
    assert mean_lab(x, roi, size)[:, 0].std() > 0.5


def test_chroma_is_averaged_over_the_neighbours_of_a_patch() -> None:
    x = torch.full((1, 3, 40, 56), 0.5)
    x[0, :, 16:24, 24:32] = torch.tensor([0.6, 0.5, 0.2]).view(3, 1, 1)  # one patch of 5 x 7
    roi = torch.ones(1, 40, 56, dtype=torch.bool)
    chroma, patch = mean_chroma(x, roi, (5, 7)), mean_lab(x, roi, (5, 7))[:, 1:, 2, 3]
    torch.testing.assert_close(chroma[:, :, 1:4, 2:5], patch.view(1, 2, 1, 1).expand(1, 2, 3, 3) / 9, atol=0.05, rtol=0)
    assert chroma[:, :, :, 5:].abs().max() < 0.05


def test_photos_of_one_colour_teach_a_finite_bank(backbone: Backbone) -> None:
    blank = torch.full((2, 3, HEIGHT, WIDTH), 0.5), torch.ones(2, HEIGHT, WIDTH, dtype=torch.bool)
    detector = fitted(backbone, blank, colour_weight=0.5)
    image, patch = score(detector, *blank)
    assert detector.bank_.isfinite().all()
    assert image.isfinite().all() and patch.isfinite().all()


def test_the_projection_is_orthonormal_and_follows_its_generator() -> None:
    one, same, other = (random_orthogonal(20, 6, torch.Generator().manual_seed(seed)) for seed in (4, 4, 5))
    torch.testing.assert_close(one.T @ one, torch.eye(6))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("target_dim", [0, 20, 999])
def test_without_a_smaller_dimension_nothing_is_projected(backbone: Backbone, target_dim: int) -> None:
    detector = taught(backbone, target_dim=target_dim)
    assert torch.equal(detector.projection_, torch.eye(20))


@pytest.mark.parametrize(("ratio", "size"), [(0.1, 38), (1.0, 384), (0.0001, 1)])
def test_the_bank_keeps_the_share_that_was_asked_for(backbone: Backbone, ratio: float, size: int) -> None:
    assert len(taught(backbone, coreset_ratio=ratio).bank_) == size  # of 4 photos x 8 x 12 patches


def test_a_photo_that_was_learnt_whole_scores_nothing(backbone: Backbone) -> None:
    image, patch = score(taught(backbone, coreset_ratio=1.0), *grey_photos(1, 4))
    assert patch.max() < 1e-3
    assert image.max() < 1e-3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target_dim", -1),
        ("coreset_ratio", 0.0),
        ("coreset_ratio", 1.5),
        ("coreset_ratio", float("nan")),
        ("density_keep", 0.0),
        ("density_keep", 1.1),
        ("density_neighbors", 0),
        ("num_neighbors", 0),
        ("percentile", 0.0),
        ("percentile", 100.0),
        ("top_k", 0),
        ("colour_weight", 1.0),
        ("colour_weight", -0.1),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(backbone: Backbone, key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^detector\.{key} is .*; it must be .*\.$|^detector\.{key} is .*expected"):
        detectors.create("patchcore", backbone, {key: value})


def test_the_embedding_has_the_grid_of_the_finest_map(backbone: Backbone) -> None:
    x = torch.rand(2, 3, 48, 80, generator=torch.Generator().manual_seed(0))
    embedding = embed(backbone, x)
    assert embedding.shape == (2, 20, 6, 10)
    finest = backbone(x)[0]
    by_hand = finest[:, :, 1:4, 2:5].mean(dim=(2, 3))  # 3 x 3 neighbours of row 2, column 3
    torch.testing.assert_close(embedding[:, :8, 2, 3], by_hand)


def test_lab_is_that_of_opencv() -> None:
    rng = np.random.default_rng(0)
    rgb = np.concatenate([rng.random((16, 24, 3)), np.linspace(0, 0.05, 24)[None, :, None].repeat(3, 2)])
    lab = srgb_to_lab(torch.from_numpy(rgb.astype(np.float32)).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(lab, cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2LAB), atol=0.6)


def test_the_mean_colour_of_a_patch_counts_the_roi_only() -> None:
    x = torch.zeros(1, 3, 16, 24)
    x[:, 0, :8, :8] = 1  # red
    x[:, 1, :8, 4:8] = 1  # its right half yellow
    roi = torch.ones(1, 16, 24, dtype=torch.bool)
    roi[:, :8, 4:8] = False
    roi[:, 8:, 16:] = False
    colours = mean_lab(x, roi, (2, 3))
    np.testing.assert_allclose(colours[0, :, 0, 0], [53.24, 80.09, 67.20], atol=0.1)  # sRGB red under D65
    assert torch.equal(colours[0, :, 1, 2], torch.zeros(3))


def test_one_pass_over_the_photos_gives_the_models_of_all_folds(backbone: Backbone) -> None:
    (x, roi), counting = grey_photos(1, 6), Counting(backbone)
    detector = detectors.create("patchcore", counting, {"target_dim": 6, "coreset_ratio": 0.2})
    folds = [frozenset({0, 4}), frozenset({1, 2, 3, 5})]
    without = detector.fit_folds([(x[:4], roi[:4]), (x[4:], roi[4:])], seed=0, folds=folds)
    assert sum(counting.passed) == 6
    assert without is not None
    for other, fold in zip(without, folds, strict=True):
        assert set(other.learned()["origin_"][:, 0].int().tolist()) == set(range(6)) - fold
        seen, unseen = (score(other, x[list(some)], roi[list(some)])[1] for some in (set(range(6)) - fold, fold))
        assert seen.max() <= detector.facts["bank_radius"] * 1.001 < unseen.max()


def test_with_coverage_the_bank_is_as_large_as_the_photos_need(backbone: Backbone) -> None:
    x, roi = grey_photos(1, 6)
    small, large = (
        fitted(backbone, (x, roi), target_dim=6, coreset_ratio=0.5, coverage=coverage) for coverage in (3.0, 1.0)
    )
    assert len(small.bank_) < len(large.bank_) < round(0.5 * 6 * 96)
    assert small.facts == {
        "bank_rows": len(small.bank_),
        "patches": 6 * 96,
        "bank_radius": pytest.approx(score(small, x, roi)[1].max().item(), rel=1e-3),
    }
