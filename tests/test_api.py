"""The few names that `import andon` offers, used as the README shows them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import plate_photos
import pytest

import andon
from andon import errors


def test_the_way_from_photos_to_a_verdict(data: Path, tmp_path: Path) -> None:
    model = andon.train(data, settings=plate_photos.FAST)
    andon.save(model, tmp_path / "part.safetensors")
    pipeline = andon.load(tmp_path / "part.safetensors")
    inspection = pipeline.inspect(data / "test" / "rust" / "300.png")
    assert isinstance(model, andon.Taught) and isinstance(pipeline, andon.Pipeline)
    assert isinstance(inspection, andon.Inspection)
    assert inspection.verdict == "NG"
    assert isinstance(inspection.regions[0], andon.Region)


@pytest.mark.parametrize("name", andon.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(andon, name) is not None


def test_every_error_is_an_andon_error() -> None:
    offered = {getattr(andon, name) for name in andon.__all__ if name.endswith("Error")}
    assert all(issubclass(error, andon.AndonError) for error in offered)
    assert offered == {error for error in vars(errors).values() if isinstance(error, type)}


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'inspekt'"):
        andon.inspekt  # noqa: B018


def test_importing_andon_imports_nothing_heavy() -> None:
    code = "import sys, andon; print([name for name in ('torch', 'cv2', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_thresholds_for_scores_of_ones_own() -> None:
    from andon.calibration import CalibrationRule, calibrate

    scores = [float(score) for score in range(20)]
    calibration = calibrate(CalibrationRule(method="conformal", false_reject_rate=0.05), scores, scores)
    assert [calibration.verdict(score) for score in (19.0, 19.1)] == ["review", "NG"]
