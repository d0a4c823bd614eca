"""The wheel holds all of the package and nothing else, and says whose it is. `make wheel` runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILD = "from setuptools import build_meta; build_meta.build_wheel('dist')"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Built from a copy, so that the checkout stays as it is and what was built before has no part in it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    package = ROOT / "src" / "andon"
    files = {path.relative_to(package.parent).as_posix() for path in package.rglob("*") if path.is_file()}
    expected = {name for name in files if "__pycache__" not in name}
    assert {"andon/py.typed", "andon/recipes/default.toml", "andon/backbones/embedded.safetensors"} <= expected
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


def test_the_wheel_says_whose_it_is_and_brings_its_licence(wheel: zipfile.ZipFile) -> None:
    (info,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(wheel.read(info))
    assert (metadata["Name"], metadata["Author"]) == ("andon", "The Andon authors")
    assert metadata["License-Expression"] == "Apache-2.0 AND Bitstream-Vera"  # the fonts have the second
    assert metadata.get_all("Project-URL") and metadata.get_all("Classifier")
    licence = wheel.read(info.replace("METADATA", "licenses/LICENSE")).decode()
    assert "Apache License" in licence and "END OF TERMS AND CONDITIONS" in licence
    assert "Bitstream Vera Fonts Copyright" in wheel.read("andon/reports/dejavu/LICENSE_DEJAVU").decode()


def test_what_only_some_need_is_not_installed_with_it(wheel: zipfile.ZipFile) -> None:
    (info,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    required = message_from_bytes(wheel.read(info)).get_all("Requires-Dist") or []
    without_extra = {re.split("[<>=]", line)[0] for line in required if "extra ==" not in line}
    assert without_extra == {
        "filelock",
        "kornia_rs",
        "numpy",
        "opencv-python-headless",
        "openvino",
        "pillow",
        "psutil",
        "rich",
        "safetensors",
        "typer",
    }
