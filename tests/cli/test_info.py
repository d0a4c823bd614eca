"""andon info: what a model file says of itself."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Command

from andon.models.load import load
from andon.models.taught import Taught


def test_it_prints_recipe_calibration_and_origin(andon_: Command, model: Path) -> None:
    ran = andon_("info", model)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == f"{model}: {model.stat().st_size / 1e6:.1f} MB"
    assert "  detector:" in lines and "    name: patchcore" in lines
    assert "  trained: 8 photos" in lines
    assert any(line.strip().startswith("in_words: Threshold ") for line in lines)
    assert any(line.strip().startswith("torch: ") for line in lines)


def test_as_json_it_prints_everything(andon_: Command, model: Path, taught: Taught) -> None:
    header = json.loads(andon_("info", model, "--json").out)
    assert header["format"] == 3
    assert header["sha256"] == load(model).model_id.sha256
    assert header["recipe"] == json.loads(json.dumps(taught.recipe.to_tree()))
    assert header["manifest"] == taught.manifest.to_tree() | taught.manifest.photos()
    assert len(header["manifest"]["trained"]) == 8 and len(header["manifest"]["calibrated"]) == 6
    assert header["calibration"]["n_ok"] == 6
