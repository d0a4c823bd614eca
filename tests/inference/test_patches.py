"""Which patches count: as the detectors in torch say it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from andon.detectors._base import patches_in_roi as in_torch
from andon.inference.patches import patches_in_roi


@pytest.mark.parametrize("size", [(8, 12), (7, 5), (64, 96), (1, 1)])
def test_the_patches_in_the_roi_are_those_of_torch(size: tuple[int, int]) -> None:
    generator = np.random.default_rng(0)
    for share in (0.02, 0.3, 0.6, 1.0):
        roi = np.zeros((64, 96), bool)
        height, width = (max(1, round(share * side)) for side in roi.shape)
        top, left = generator.integers(0, 64 - height + 1), generator.integers(0, 96 - width + 1)
        roi[top : top + height, left : left + width] = True
        roi &= generator.random(roi.shape) < 0.9 if share < 1 else True
        assert np.array_equal(patches_in_roi(roi, size), in_torch(torch.from_numpy(roi)[None], size)[0].numpy())


def test_an_empty_roi_has_no_patches() -> None:
    assert not patches_in_roi(np.zeros((64, 96), bool), (8, 12)).any()
