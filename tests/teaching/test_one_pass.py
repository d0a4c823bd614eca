"""A training looks at each photo once for all folds, and says how far it is as one work."""

from __future__ import annotations

import re
from pathlib import Path

import plate_photos
import pytest
from torch import Tensor

from andon import progress
from andon.backbones.embedded import EmbeddedBackbone
from andon.detectors import patchcore
from andon.teaching.train import train

pytestmark = pytest.mark.slow

N = 10


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    plate_photos.write_parts(tmp_path / "ok", range(N))
    return tmp_path / "ok"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many photos the network has seen in torch, by call."""
    seen: list[int] = []
    forward = EmbeddedBackbone.forward

    def counting(self: EmbeddedBackbone, x: Tensor) -> list[Tensor]:
        seen.append(int((x.flatten(1).amax(dim=1) > 0).sum()))  # a converter looks at black ones
        return forward(self, x)

    monkeypatch.setattr(EmbeddedBackbone, "forward", counting)
    return seen


@pytest.mark.parametrize("detector", ["patchcore", "padim", "spade"])
def test_the_network_sees_each_photo_once_for_all_folds(photos: Path, looks: list[int], detector: str) -> None:
    train(photos, settings=[*plate_photos.FAST_WITH_ANY_DETECTOR, f"detector.name={detector}"], precision="f32")
    assert sum(looks) == N


def test_nor_does_it_where_the_patches_do_not_fit_into_memory_at_once(
    photos: Path, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patchcore, "chunk_size", lambda dim: 500)
    model = train(photos, settings=[*plate_photos.FAST, "detector.coreset_ratio=0.02"], precision="f32")
    assert sum(looks) == N
    assert model.calibration is not None
    assert len(model.calibration.ok_scores) == N


def test_every_line_counts_the_whole_training(
    photos: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    with caplog.at_level("INFO", logger="andon"):
        train(photos, settings=plate_photos.FAST)
    told = [match for line in caplog.messages if (match := re.match(r"(\d+)% of all, ([A-Za-z ]+)", line))]
    assert not [line for line in caplog.messages if re.match(r"[A-Za-z ]+: \d+ of \d+", line)]
    phases = list(dict.fromkeys(match[2] for match in told))
    assert phases == [
        "Comparing photos",
        "Training",
        "choosing the coreset",
        "leaving photos out",
        "Calibrating",
        "Keeping thumbnails",
    ]
    assert int(told[0][1]) < 50
    assert int(told[-1][1]) == 100
