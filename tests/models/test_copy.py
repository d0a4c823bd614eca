"""Copies of model files with other thresholds."""

from __future__ import annotations

from pathlib import Path

import plate_photos
import pytest

from andon.errors import InputError, ModelError
from andon.models import copy
from andon.models.header import read_header
from andon.models.load import load


def test_thresholds_change_and_nothing_else_does(model: Path, tmp_path: Path) -> None:
    before, bytes_before = load(model), model.read_bytes()
    assert before.calibration is not None
    bar = before.calibration.threshold
    made = copy.with_thresholds(model, tmp_path / "new.safetensors", 0.9 * bar, 0.8 * bar)
    after = load(tmp_path / "new.safetensors")
    assert after.calibration is not None
    assert (after.calibration.threshold, after.calibration.review_threshold) == (0.9 * bar, 0.8 * bar)
    photo = plate_photos.rusty(3)[0]
    assert after.inspect(photo).score == before.inspect(photo).score
    assert after.model_id.sha256 == made.model_id.sha256 != before.model_id.sha256
    assert "The threshold was given by hand." in read_header(tmp_path / "new.safetensors").manifest.remarks
    assert model.read_bytes() == bytes_before


def test_a_copy_writes_over_nothing(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.safetensors"
    copy.with_thresholds(model, target, 1.0, None)
    with pytest.raises(ModelError, match="exists already"):
        copy.with_thresholds(model, target, 2.0, None)


@pytest.mark.parametrize(("threshold", "review"), [(1e9, None), (1.0, 1.5), (float("nan"), None)])
def test_a_threshold_that_cannot_be_is_refused(
    model: Path, tmp_path: Path, threshold: float, review: float | None
) -> None:
    with pytest.raises(InputError):
        copy.with_thresholds(model, tmp_path / "new.safetensors", threshold, review)
    assert not list(tmp_path.iterdir())
