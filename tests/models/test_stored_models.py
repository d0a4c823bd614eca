"""Models that older versions of Andon wrote load, and judge as they did; see stored/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import plate_photos
import pytest

from andon.line.pipeline import to_batch
from andon.models.file import FORMAT
from andon.models.header import read_header
from andon.models.load import load
from andon.models.save import save
from andon.models.trained import load_taught
from andon.types import RgbImage

STORED = Path(__file__).parent / "stored"
FORMATS = (2, 3)
EXPECTED: dict[str, Any] = json.loads((STORED / "format2.json").read_text())

each_format = pytest.mark.parametrize("stored", [STORED / f"format{number}.safetensors" for number in FORMATS])


def photo(row: dict[str, Any]) -> RgbImage:
    return plate_photos.rusty(row["seed"])[0] if row["rusty"] else plate_photos.part(row["seed"])


def test_there_is_a_stored_model_of_the_newest_format() -> None:
    assert max(FORMATS) == FORMAT


@each_format
def test_scores_and_verdicts_are_those_of_its_time(stored: Path) -> None:
    pipeline = load(stored, precision="f32")
    assert pipeline.calibration is not None
    assert pipeline.calibration.threshold == pytest.approx(EXPECTED["threshold"], rel=1e-6)
    for row in EXPECTED["rows"]:
        inspection = pipeline.inspect(photo(row))
        assert (inspection.verdict, inspection.p_value) == (row["verdict"], row["p_value"])
        assert inspection.score == pytest.approx(row["score"], rel=1e-4)
        assert inspection.sigma == pytest.approx(row["sigma"], rel=1e-3)
        assert len(inspection.regions) == len(row["regions"])
        for region, box in zip(inspection.regions, row["regions"], strict=True):
            assert region.xyxy == pytest.approx(box, abs=1)


@each_format
def test_what_it_says_of_itself_is_read(stored: Path) -> None:
    header = read_header(stored)
    assert f"format{header.format}" == header.model_id.name == stored.stem
    assert header.calibration is not None and len(header.calibration.ok_scores) == 6
    assert header.calibration.rule.review_percentile == 60
    manifest = header.manifest
    assert manifest.trained.names == tuple(f"train/good/{number:03d}.png" for number in range(8))
    assert manifest.calibrated.names == tuple(f"validation/good/{number}.png" for number in range(100, 106))
    assert all(len(digest) == 64 for digest in manifest.seen) and len(manifest.seen) == 14
    assert manifest.precision == "f32" and manifest.versions["andon"] == "0.1.0" and len(manifest.remarks) == 2


@each_format
def test_a_patch_of_its_memory_bank_is_of_the_photo_it_names(stored: Path) -> None:
    pipeline = load(stored, precision="f32")
    for number in (0, 3, 7):
        found = pipeline.scorer.most_like(*to_batch([pipeline.prepare(plate_photos.part(number)).frame]))
        nearest = np.unravel_index(found.distance[0].argmin(), found.distance[0].shape)
        assert found.distance[0][nearest] < 1e-4
        assert pipeline.thumbnails[int(found.origin[0][nearest][0])].photo == f"train/good/{number:03d}.png"


def test_the_older_model_saved_anew_is_the_newer_one(tmp_path: Path) -> None:
    save(load_taught(STORED / "format2.safetensors", precision="f32"), tmp_path / "again.safetensors")
    again, stored = read_header(tmp_path / "again.safetensors"), read_header(STORED / "format3.safetensors")
    assert again.manifest == stored.manifest and again.thumbnails == stored.thumbnails
    assert again.recipe == stored.recipe
