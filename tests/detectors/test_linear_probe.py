"""Logistic regression on pooled features: its log-odds, its map, and that it refuses one class alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.detectors import Batch, Detector, LabelledBatches
from andon.detectors._embedding import embed
from andon.errors import ConfigError, DatasetError

Probe = Detector[object]


def photos(seed: int, n: int, *, spot: bool = False) -> Batch:
    """Grey noise, 48 x 80, with or without a bright spot at a place of its own."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.4 + 0.1 * torch.randn(n, 3, 48, 80, generator=generator)
    for photo in x if spot else []:
        row, column = (int(torch.randint(limit, (1,), generator=generator)) for limit in (32, 64))
        photo[:, row : row + 16, column : column + 16] = 1.0
    return x.clamp(0, 1), torch.ones(n, 48, 80, dtype=torch.bool)


def taught(backbone: Backbone, regularisation: float = 10.0) -> Probe:
    probe = detectors.create("linear_probe", backbone, {"regularisation": regularisation})
    return probe.fit(LabelledBatches([photos(1, 12)], [photos(2, 9, spot=True)]), seed=0)


def scores(probe: Probe, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        return probe(x, roi)


def test_it_tells_new_photos_of_the_two_kinds_apart(backbone: Backbone) -> None:
    probe = taught(backbone)
    ok, _ = scores(probe, *photos(3, 10))
    ng, _ = scores(probe, *photos(4, 10, spot=True))
    assert ng.min() > ok.max()
    assert ok.median() < 0 < ng.median()


def test_the_photos_log_odds_are_the_mean_of_its_patches_in_the_roi(backbone: Backbone) -> None:
    x, roi = photos(5, 3, spot=True)
    roi[:, :, 40:] = False
    image, patch = scores(taught(backbone), x, roi)
    log_odds = patch[:, :, :5].double().expm1().log()  # the inverse of softplus; stride 8: 5 columns are inside
    torch.testing.assert_close(log_odds.mean(dim=(1, 2)), image.double(), rtol=1e-3, atol=1e-3)
    assert (patch[:, :, 5:] == 0).all()


def test_the_log_odds_are_those_of_scikit_learn_on_standardised_features(backbone: Backbone) -> None:
    with torch.inference_mode():
        ok, ng = (embed(backbone, x).mean(dim=(2, 3)).double() for x, _ in (photos(1, 12), photos(2, 9, spot=True)))
        new = embed(backbone, photos(3, 4)[0]).mean(dim=(2, 3)).double()
    features = torch.cat([ok, ng])
    mean, std = features.mean(dim=0), features.std(dim=0, correction=0)
    probe = LogisticRegression(C=0.5, class_weight="balanced").fit((features - mean) / std, [0] * 12 + [1] * 9)
    expected = torch.from_numpy(probe.decision_function((new - mean) / std))
    torch.testing.assert_close(scores(taught(backbone, 2.0), *photos(3, 4))[0].double(), expected, rtol=0.01, atol=0.01)


def test_the_map_is_hottest_where_the_spot_is(backbone: Backbone) -> None:
    x, roi = photos(6, 1)
    x[:, :, 16:32, 48:64] = 1.0
    _, patch = scores(taught(backbone), x, roi)
    row, column = divmod(int(patch[0].argmax()), patch.shape[2])
    assert 16 <= 8 * row + 4 <= 32 and 48 <= 8 * column + 4 <= 64
    assert F.relu(patch).equal(patch)


@pytest.mark.parametrize("batches", [[photos(1, 4)], LabelledBatches([photos(1, 4)], []), LabelledBatches([], [])])
def test_one_kind_alone_is_refused(batches: list[Batch] | LabelledBatches, backbone: Backbone) -> None:
    with pytest.raises(DatasetError, match="it was given only one kind; add labelled photos of the other kind"):
        detectors.create("linear_probe", backbone).fit(batches, seed=0)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_regularisation_that_is_none_is_refused(value: float, backbone: Backbone) -> None:
    with pytest.raises(ConfigError, match=r"detector.regularisation is .*above 0"):
        detectors.create("linear_probe", backbone, {"regularisation": value})
