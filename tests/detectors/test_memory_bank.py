"""The memory bank where all patches fit into memory, where they do not, and where not even that helps."""

from __future__ import annotations

import logging
import re

import pytest
import torch

from andon.detectors._coreset import greedy_coreset
from andon.detectors._memory_bank import chunks, coreset, coreset_of_chunks
from andon.errors import ConfigError


def points(n: int) -> torch.Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(n))


def radius(patches: torch.Tensor, bank: torch.Tensor) -> float:
    return float(torch.cdist(patches, bank).amin(dim=1).max())


def test_chunks_hold_every_patch_once_in_order_and_no_more_than_was_asked() -> None:
    patches = points(100)
    pieces, counts = zip(*chunks(torch.split(patches, 7), 30), strict=True)
    assert torch.equal(torch.cat(pieces), patches)
    assert counts == ([7] * 4, [7] * 4, [7] * 4, [7, 7, 2])
    assert max(map(len, pieces)) <= 30
    assert len(pieces) == 4  # 28, 28, 28 and 16: none is cut short


def test_coreset_is_the_greedy_one_of_the_wanted_size() -> None:
    patches = points(200)
    start = int(torch.randint(200, (1,), generator=torch.Generator().manual_seed(3)))
    bank, rows = coreset(patches, 0.1, torch.Generator().manual_seed(3))
    assert torch.equal(bank, patches[rows])
    assert torch.equal(bank, patches[greedy_coreset(patches, 20, start=start)])


def test_coreset_of_chunks_says_how_far_patches_are_from_it(caplog: pytest.LogCaptureFixture) -> None:
    patches = points(400)
    with caplog.at_level(logging.INFO):
        bank, rows = coreset_of_chunks(iter(torch.split(patches, 150)), 400, 0.1)
    assert torch.equal(bank, patches[rows])
    assert len(bank) == 40
    two_steps, measured = caplog.messages
    assert two_steps == (
        "400 patches do not fit into memory at once, so the memory bank is chosen in two steps: 40 of each 150 "
        "patches, then 40 of all those."
    )
    said, first, second = (float(number) for number in re.findall(r"\d+\.\d+", measured))
    assert said == pytest.approx(first + second, abs=0.02)
    assert second <= radius(patches, bank) + 0.01
    assert radius(patches, bank) <= said + 0.01


def test_what_cannot_fit_is_refused_with_a_ratio_that_does() -> None:
    patches = points(400)
    with pytest.raises(ConfigError, match=r"coreset_ratio to 0\.015,"):
        coreset_of_chunks(iter(torch.split(patches, 50)), 400, 0.5)
    coreset_of_chunks(iter(torch.split(patches, 50)), 400, 0.015)
