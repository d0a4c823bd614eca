"""The program that teaches the embedded backbone, run on pictures that are not worth learning from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from andon import backbones, images
from andon.backbones import BackboneConfig

PROGRAM = Path(__file__).parents[2] / "tools" / "distill_backbone.py"
FEW = ("--drawn", "3", "--held-out", "1", "--batch", "2", "--save-every", "1")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of photographs and a teacher's weights."""
    folder = tmp_path_factory.mktemp("material")
    rng = np.random.default_rng(0)
    for number in range(3):
        images.write(folder / "photos" / f"{number}.png", rng.integers(0, 256, (96, 128, 3), dtype=np.uint8))
    torch.manual_seed(0)
    teacher = backbones.create(BackboneConfig(name="resnet18", strides=(4, 8, 16)), pretrained=False)
    save_file({name.removeprefix("network."): t for name, t in teacher.state_dict().items()}, folder / "t.safetensors")
    return folder / "photos", folder / "t.safetensors"


def distill(material: tuple[Path, Path], out: Path, steps: int) -> list[str]:
    """The log, without the time left."""
    photos, teacher = material
    command = [sys.executable, str(PROGRAM), "--teacher", f"resnet18={teacher}", "--images", str(photos)]
    run = subprocess.run(
        [*command, "--out", str(out), "--steps", str(steps), *FEW], check=True, capture_output=True, text=True
    )
    return [re.sub(r" +\[.*", "", line) for line in run.stdout.splitlines() if line.startswith("step")]


@pytest.mark.endurance
def test_the_same_command_gives_the_same_log_and_a_stopped_run_goes_on_in_it(
    material: tuple[Path, Path], tmp_path: Path
) -> None:
    whole = distill(material, tmp_path / "whole.safetensors", 4)
    assert len(whole) == 4
    assert whole == distill(material, tmp_path / "again.safetensors", 4)
    stopped = distill(material, tmp_path / "stopped.safetensors", 3)  # so short a run has no falling learning rate
    resumed = distill(material, tmp_path / "stopped.safetensors", 4)
    assert [loss(line) for line in stopped] + resumed == [loss(line) for line in whole[:3]] + whole[3:]


def loss(line: str) -> str:
    return line.partition(" unexplained")[0]


@pytest.mark.endurance
def test_what_it_writes_is_a_backbone_that_says_where_it_comes_from(
    material: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "small.safetensors"
    distill(material, out, 2)
    backbone = backbones.create(BackboneConfig(name="embedded", weights=str(out)))
    assert [tuple(m.shape) for m in backbone(torch.zeros(1, 3, 64, 96))] == [(1, 128, 8, 12), (1, 256, 4, 6)]
    with safe_open(out, "pt") as file:
        origin = json.loads(file.metadata()["origin"])
    assert origin["steps"] == 2
    assert origin["pictures"] == 4
    assert len(origin["teachers_sha256"]["resnet18"]) == 64
