"""A line computer inspects without torch: nothing below the detectors imports it, directly or through others."""

from __future__ import annotations

import os
import subprocess
import sys

ROOMS = (
    "andon.errors",
    "andon.types",
    "andon.rows",
    "andon.files",
    "andon.plugins",
    "andon.config",
    "andon.progress",
    "andon.resources",
    "andon.ordered_map",
    "andon.images",
    "andon.preprocess",
    "andon.line",
    "andon.recipes",
    "andon.datasets",
    "andon.models.file",
    "andon.models.header",
    "andon.models.manifest",
)

IMPORT_ALL = """
import importlib, pkgutil, sys

for room in sys.argv[1:]:
    module = importlib.import_module(room)
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), room + "."):
        importlib.import_module(found.name)
print(sorted(name for name in ("torch", "openvino", "timm", "transformers") if name in sys.modules))
"""

INSPECT = """
import sys
sys.modules["torch"] = None  # importing it is an ImportError

import plate_photos
from numpy_scorer import orange_pipeline

pipeline = orange_pipeline()
photos = [plate_photos.part(1), plate_photos.rusty(2)[0]]
print(*(pipeline.inspect(photo).verdict for photo in photos))
print(*(result.to_row()["verdict"] for result in pipeline.inspect_batch(photos)))
"""


def run(code: str, *words: str) -> str:
    """What a Python of its own prints."""
    ran = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_no_module_below_the_detectors_imports_torch() -> None:
    assert run(IMPORT_ALL, *ROOMS) == "[]\n"


def test_a_pipeline_inspects_where_there_is_no_torch() -> None:
    assert run(INSPECT) == "OK NG\nOK NG\n"
